/** One in a queue, and all the queues that it stands in. */
interface Place<T> {
  readonly one: T
  readonly lanes: readonly string[]
}

/**
 * Keeps an order within each lane, for things that may stand in several: one is ready when nothing stands before it in any of its own.
 *
 * A person's messages come under two names, and some name only one of them. All that share a name keep their order, so
 * do all that follow one that has both.
 */
export class Lanes<T> {
  readonly #queues = new Map<string, Place<T>[]>()

  /** @returns whether it is ready at once */
  add(one: T, lanes: readonly string[]): boolean {
    const place = { one, lanes }
    for (const lane of lanes) {
      const queue = this.#queues.get(lane)
      if (queue === undefined) this.#queues.set(lane, [place])
      else queue.push(place)
    }
    return this.#isReady(place)
  }

  /** One that was ready is done with. @returns those that are ready now */
  done(one: T, lanes: readonly string[]): T[] {
    const next = new Set<Place<T>>()
    for (const lane of lanes) {
      const queue = this.#queues.get(lane) ?? []
      const first = queue.shift()
      if (first === undefined || first.one !== one) throw new Error('only what stands first in all its lanes can be done with')
      const [head] = queue
      if (head === undefined) this.#queues.delete(lane)
      else next.add(head)
    }
    return [...next].filter(place => this.#isReady(place)).map(({ one: ready }) => ready)
  }

  #isReady(place: Place<T>): boolean {
    return place.lanes.every(lane => this.#queues.get(lane)?.[0] === place)
  }
}
