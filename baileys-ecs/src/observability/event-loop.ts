import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20

/** How late timers come: a process that computes too much, or swaps, acknowledges and renews its lease too late. */
export class EventLoop {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  constructor() {
    this.#delays.enable()
  }

  /** 99th percentile in milliseconds since the last call. */
  takeLag(): number {
    const { count } = this.#delays
    const lag = count === 0 ? 0 : this.#delays.percentile(99) / 1e6 - RESOLUTION_MS // the histogram counts the wanted interval too
    this.#delays.reset()
    return Math.max(0, Math.round(lag))
  }

  stop(): void {
    this.#delays.disable()
  }
}
