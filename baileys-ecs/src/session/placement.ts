import type { Random } from '../concurrency/backoff.js'
import type { Container, Observer } from '../lease/observer.js'
import { shareOf } from '../lease/share.js'
import type { StoredSession } from '../store/session-records.js'
import { needsOwner } from './reconcile.js'

export interface PlacementOptions {
  readonly self: string
  readonly capacity: number
  /** Milliseconds between two sessions given away; 0: never. */
  readonly rebalanceMs: number
  readonly leaseMs: number
  readonly random: Random
}

export interface HeldHere {
  readonly tenantId: string
  /** It is connected and sends nothing at the moment. */
  readonly movable: boolean
}

export interface Moves {
  /** Free and fallen sessions to claim, in this order. */
  readonly claim: readonly StoredSession[]
  /** A session to give away to a container that holds fewer. */
  readonly giveAway: string | undefined
  /** Sessions for which no container has room. */
  readonly without: number
}

/** Decides which sessions this container takes and gives. */
export class Placement {
  readonly #options: PlacementOptions
  readonly #firstSeen = new Map<string, number>()
  #movedAt = -Infinity

  constructor(options: PlacementOptions) {
    this.#options = options
  }

  /** @param at monotonic milliseconds */
  decide(rows: readonly StoredSession[], held: readonly HeldHere[], observer: Observer, at: number): Moves {
    const { self, capacity, rebalanceMs, random } = this.#options
    const isHeld = new Set(held.map(({ tenantId }) => tenantId))
    const free = rows.filter(row => !isHeld.has(row.tenantId) && needsOwner(row) &&
      (row.ownerId === undefined || row.ownerId === self || !observer.isAlive(row.ownerId, at)))
    const count = rows.filter(row => isHeld.has(row.tenantId) || needsOwner(row) || row.ownerId !== undefined).length
    const others = observer.alive(at).filter(({ id, draining }) => id !== self && !draining)
    const share = shareOf(capacity, others.map(container => container.capacity), count)
    // What our lapsed lease left in our name nobody else can take.
    const ours = free.filter(row => row.ownerId === self)
    const strangers = shuffled(free.filter(row => row.ownerId !== self), random) // or all containers race for the same ones
    const claim = [...ours, ...strangers.slice(0, Math.max(0, share - held.length - ours.length))]
    const without = Math.max(0, count - others.reduce((sum, other) => sum + other.capacity, capacity))

    const settled = this.#settled(others, at)
    const lasting = shareOf(capacity, settled.map(container => container.capacity), count)
    const mayMove = rebalanceMs > 0 && free.length === 0 && held.length > lasting && at - this.#movedAt >= rebalanceMs
    const giveAway = mayMove ? held.find(({ movable }) => movable)?.tenantId : undefined
    if (giveAway !== undefined) this.#movedAt = at
    return { claim, giveAway, without }
  }

  /** Those that have lived for a whole lease: one that dies at each start must not get sessions from those that work. */
  #settled(others: readonly Container[], at: number): Container[] {
    const alive = new Set(others.map(({ id }) => id))
    for (const id of this.#firstSeen.keys()) if (!alive.has(id)) this.#firstSeen.delete(id)
    for (const id of alive) if (!this.#firstSeen.has(id)) this.#firstSeen.set(id, at)
    return others.filter(({ id }) => at - (this.#firstSeen.get(id) ?? at) >= this.#options.leaseMs)
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items.map(item => ({ item, place: random() })).sort((a, b) => a.place - b.place).map(({ item }) => item)
}
