/** The value below which `share` of all values lie. @throws RangeError without values */
export function percentile(values: readonly number[], share: number): number {
  const value = [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]
  if (value === undefined) throw new RangeError('no values: nothing was measured')
  return value
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)
