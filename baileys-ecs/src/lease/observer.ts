/** A container as its row in the gateway table says. */
export interface Container {
  readonly id: string
  readonly url: string
  /** Rises with each sign of life. */
  readonly beat: number
  readonly capacity: number
  /** It is leaving: what it holds will be free soon, and it takes nothing more. */
  readonly draining: boolean
}

interface Seen {
  readonly container: Container
  /** When this process first saw this `beat`, on its own monotonic clock. */
  readonly since: number
}

/**
 * Judges which containers are alive: fallen is who was seen to stand still for the whole lease.
 *
 * Only counters are compared, and times only of this process's own monotonic clock: no two machines need the same time.
 * The counter moves later than its owner begins to renew, so an observer's lease always ends after the owner's own.
 */
export class Observer {
  readonly #leaseMs: number
  #seen = new Map<string, Seen>()

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** @param containers all rows, strongly consistent; one that has gone took its leave. @param at monotonic milliseconds */
  see(containers: readonly Container[], at: number): void {
    this.#seen = new Map(containers.map(container => {
      const before = this.#seen.get(container.id)
      return [container.id, { container, since: before?.container.beat === container.beat ? before.since : at }]
    }))
  }

  /** Takes it for fallen until its counter moves again. */
  giveUp(id: string): void {
    const seen = this.#seen.get(id)
    if (seen !== undefined) this.#seen.set(id, { ...seen, since: -Infinity })
  }

  /** A container without a row is not alive: each writes its row before it claims, and removes it after its last release. */
  isAlive(id: string, at: number): boolean {
    const seen = this.#seen.get(id)
    return seen !== undefined && at - seen.since < this.#leaseMs
  }

  alive(at: number): Container[] {
    return [...this.#seen.values()].filter(({ since }) => at - since < this.#leaseMs).map(({ container }) => container)
  }

  /** Whether somebody is about to let sessions go. */
  isAnyLeaving(at: number): boolean {
    return this.alive(at).some(({ draining }) => draining)
  }

  /** Rows that nobody will ever remove but whoever finds them: their containers have stood still for many leases. */
  forgotten(at: number): Container[] {
    return [...this.#seen.values()].filter(({ since }) => Number.isFinite(since) && at - since > FORGOTTEN_LEASES * this.#leaseMs)
      .map(({ container }) => container)
  }
}

const FORGOTTEN_LEASES = 20
