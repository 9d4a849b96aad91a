/** Something that happens from time to time, and those who wait for the next time. */
export class Occasion {
  readonly #waiting = new Set<() => void>()

  happened(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Resolves the next time, or when the signal is raised. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      if (signal.aborted) {
        resolve()
        return
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}
