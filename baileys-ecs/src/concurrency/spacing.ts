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

  /** Counted from when the one before really passed: timers that a busy process fires late would otherwise pass together. */
  async turn(signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (signal?.aborted === true) return
      const wait = this.#next - this.#monotonic()
      if (wait <= 0) break
      await sleep(wait, signal)
    }
    this.#next = this.#monotonic() + this.#spacingMs
  }
}
