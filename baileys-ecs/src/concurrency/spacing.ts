import { sleep } from './sleep.js'

/** Lets its callers pass one at a time, with a least distance between two: a hundred sessions must not start in one instant. */
export class Spacing {
  readonly #spacingMs: number
  readonly #monotonic: () => number
  #next = -Infinity

  constructor(spacingMs: number, monotonic: () => number) {
    this.#spacingMs = spacingMs
    this.#monotonic = monotonic
  }

  async turn(signal?: AbortSignal): Promise<void> {
    const now = this.#monotonic()
    const mine = Math.max(now, this.#next)
    this.#next = mine + this.#spacingMs
    if (mine > now) await sleep(mine - now, signal)
  }
}
