/** An entry of a {@link Journal} with its place in it; the first entry ever has index 1. */
export type Indexed<T> = T & { readonly index: number }

/**
 * A list that only grows at its end and forgets its oldest entries beyond `limit`, so that a simulator may run for days.
 * Readers remember the last `index` they saw and ask for what came after it.
 */
export class Journal<T extends object> {
  #entries: Indexed<T>[] = []
  #total = 0
  readonly #waiting = new Set<() => void>()

  constructor(readonly limit: number) {}

  /** How many entries were ever appended; also the index of the newest. */
  get total(): number {
    return this.#total
  }

  append(entry: T): Indexed<T> {
    const indexed = { ...entry, index: ++this.#total }
    this.#entries.push(indexed)
    // Cut in halves of the limit, not one by one: shifting a long array at every entry would be quadratic.
    if (this.#entries.length > this.limit * 1.5) this.#entries = this.#entries.slice(-this.limit)
    for (const wake of this.#waiting) wake()
    return indexed
  }

  /** The remembered entries after `index`, oldest first. */
  after(index = 0): Indexed<T>[] {
    const newer = Math.min(this.#total - index, this.limit)
    return newer > 0 ? this.#entries.slice(-newer) : []
  }

  /** As {@link after}, but when there is nothing yet it waits up to `waitMs` milliseconds for something. */
  async waitAfter(index: number, waitMs: number): Promise<Indexed<T>[]> {
    if (this.#total <= index && waitMs > 0) {
      await new Promise<void>(resolve => {
        const done = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const wake = (): void => { if (this.#total > index) done() }
        const timer = setTimeout(done, waitMs)
        this.#waiting.add(wake)
      })
    }
    return this.after(index)
  }
}

/** A map that forgets its oldest keys beyond `limit`. */
export class BoundedMap<K, V> extends Map<K, V> {
  constructor(readonly limit: number) {
    super()
  }

  override set(key: K, value: V): this {
    super.set(key, value)
    if (this.size > this.limit) {
      const oldest = this.keys().next()
      if (!oldest.done) this.delete(oldest.value)
    }
    return this
  }
}
