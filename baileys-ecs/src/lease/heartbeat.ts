import { sleep } from '../concurrency/sleep.js'
import type { Logger } from '../observability/logger.js'

export interface HeartbeatOptions {
  /** Raises this container's counter; gives up when the signal says so. */
  readonly beat: (signal: AbortSignal) => Promise<void>
  readonly beatMs: number
  readonly leaseMs: number
  /** Milliseconds that never jump, as `performance.now`. */
  readonly monotonic: () => number
  /** Called when the lease has run out unrenewed: nothing may be held any more. */
  readonly lapsed: () => void
  readonly logger: Logger
}

/**
 * Share of the lease after which its owner lets go by itself. The rest is for clocks that run apart, for a busy event
 * loop and for the sockets' end, so that owner and successor never overlap.
 */
const OWN_SHARE = 0.7

/** Keeps this container's lease: one counter for all its sessions. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #validUntil = -Infinity
  #expiry: NodeJS.Timeout | undefined

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  /** Whether sessions may be held and claimed. */
  get isHeld(): boolean {
    return this.#options.monotonic() < this.#validUntil
  }

  /** Begins to renew; resolves after the first attempt. */
  async start(): Promise<void> {
    const first = await this.now()
    this.#loop = this.#renew(first)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#expiry)
    await this.#loop
  }

  /** One sign of life at once; false if it failed. */
  async now(): Promise<boolean> {
    const { beat, leaseMs, monotonic, logger } = this.#options
    const started = monotonic() // before the request: observers see the counter move later than this
    try {
      await beat(AbortSignal.timeout(Math.ceil(leaseMs * OWN_SHARE / 2)))
      this.#validUntil = Math.max(this.#validUntil, started + leaseMs * OWN_SHARE)
      this.#arm()
      return true
    } catch (error) {
      logger.error({ err: error }, 'the lease of this container could not be renewed; trying again')
      return false
    }
  }

  async #renew(first: boolean): Promise<void> {
    const { beatMs } = this.#options
    await sleep(first ? beatMs : beatMs / 4, this.#stop.signal)
    while (!this.#stop.signal.aborted) {
      const renewed = await this.now()
      await sleep(renewed ? beatMs : beatMs / 4, this.#stop.signal)
    }
  }

  #arm(): void {
    clearTimeout(this.#expiry)
    if (this.#stop.signal.aborted) return
    this.#expiry = setTimeout(() => {
      if (this.isHeld) this.#arm() // timers may fire a moment early
      else this.#options.lapsed()
    }, Math.max(1, this.#validUntil - this.#options.monotonic()))
  }
}
