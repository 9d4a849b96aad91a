/**
 * How long somebody waits before each message, in milliseconds, without end: evenly between a half and one and a half of the mean.
 * Before the first only a part of the mean, or all would begin at the same moment.
 */
export function* distances(meanMs: number, random: () => number): Generator<number, never> {
  yield random() * meanMs
  for (;;) yield (0.5 + random()) * meanMs
}
