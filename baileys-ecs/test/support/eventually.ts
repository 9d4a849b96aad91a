import { setTimeout as delay } from 'node:timers/promises'

/** Enough for everything here on a busy machine; only what fails takes as long. A run beside others gives more: `PATIENCE_MS`. */
const patience = (): number => Number(process.env['PATIENCE_MS'] ?? 90_000)

/** Polls until `look` finds something (neither undefined, null nor false), and returns it. Fails after `ms`. */
export async function eventually<T>(
  what: string, look: () => T | Promise<T>, ms = patience(),
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`)
    await delay(25)
  }
}
