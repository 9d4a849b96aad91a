export interface BackpressureOptions {
  /** From so many works in hand on, nothing more is taken. */
  readonly high: number
  /** At so few, taking begins again. */
  readonly low: number
  readonly pause: () => void
  readonly resume: () => void
}

/** Counts works in hand and stops their source while they are too many, so that a flood waits outside this process. */
export class Backpressure {
  readonly #options: BackpressureOptions
  #inHand = 0
  #paused = false

  constructor(options: BackpressureOptions) {
    this.#options = options
  }

  get isPaused(): boolean {
    return this.#paused
  }

  /** Counts `work` until it has ended, well or badly. */
  track(work: Promise<unknown>): void {
    this.#inHand += 1
    if (this.#inHand >= this.#options.high && !this.#paused) {
      this.#paused = true
      this.#options.pause()
    }
    const ended = (): void => {
      this.#inHand -= 1
      if (!this.#paused || this.#inHand > this.#options.low) return
      this.#paused = false
      this.#options.resume()
    }
    work.then(ended, ended)
  }
}
