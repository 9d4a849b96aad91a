/** Polls until `look` finds something (neither undefined, null nor false), and returns it. Fails after `ms`. */
export async function eventually<T>(
  what: string, look: () => T | Promise<T>, ms = 30_000,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`)
    await new Promise(resolve => { setTimeout(resolve, 10) })
  }
}
