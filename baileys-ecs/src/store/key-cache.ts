import { LRUCache } from 'lru-cache'

/** Per socket; 200 busy numbers stay under 200 MB. A session has 2-5 KB, and 81 KB after 1,500 skipped messages. */
const MAX_BYTES = 1_000_000
const ENTRY_BYTES = 200
const ABSENT = Symbol('not in the table')

/** Of these types Baileys reads one or more for each message, the same ones again and again, present or not. */
const KEPT = new Set(['session', 'identity-key', 'device-list', 'tctoken'])

/** What the table holds under a key as JSON, or `undefined` if it holds nothing there. */
export type Stored = string | undefined

/**
 * What one socket read and wrote, so that a message costs one database call, its commit, and not three reads before it:
 * with 20 messages a second those reads held the queue of the number up and doubled its latency.
 *
 * It cannot differ from the table in anything that matters. The number has one owner, whose every step is committed under
 * its fencing token before its result leaves; the cache learns a value when the table has taken it; a write that fails
 * ends the socket, and the cache with it. It keeps JSON, because Baileys and libsignal change the objects they are given.
 */
export class KeyCache {
  readonly #values = new LRUCache<string, string | typeof ABSENT>({
    maxSize: MAX_BYTES,
    sizeCalculation: (value, key) => ENTRY_BYTES + key.length + (value === ABSENT ? 0 : value.length),
  })
  #writes = 0

  /** What is known of these ids; the others must be read. */
  known(type: string, ids: readonly string[]): Map<string, Stored> {
    const known = new Map<string, Stored>()
    for (const id of ids) {
      const value = this.#values.get(keyOf(type, id))
      if (value !== undefined) known.set(id, value === ABSENT ? undefined : value)
    }
    return known
  }

  /** Call before a read; what came is to be given to the function that it returns. */
  reading(type: string): (values: ReadonlyMap<string, Stored>) => void {
    const before = this.#writes
    return values => {
      if (this.#writes !== before) return // a write may have overtaken the read
      for (const [id, value] of values) this.#keep(type, id, value)
    }
  }

  /** The table has taken this value. */
  wrote(type: string, id: string, value: Stored): void {
    this.#writes += 1
    this.#keep(type, id, value)
  }

  #keep(type: string, id: string, value: Stored): void {
    if (KEPT.has(type)) this.#values.set(keyOf(type, id), value ?? ABSENT)
  }
}

const keyOf = (type: string, id: string): string => `${type} ${id}`
