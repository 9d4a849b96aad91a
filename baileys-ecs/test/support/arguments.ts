/** A whole number from the environment. @throws Error that says what to give instead */
export function whole(name: string, fallback: number, least = 0): number {
  const given = process.env[name] ?? ''
  const value = given === '' ? fallback : Number(given)
  if (!Number.isInteger(value) || value < least) throw new Error(`${name} is "${given}": give a whole number from ${least}`)
  return value
}
