import { randomInt } from 'node:crypto'
import { SimulatorError } from '../errors.js'
import type { Business } from '../people/business.js'
import type { Customer } from '../people/customer.js'
import { seeded } from '../random.js'
import { newMessageId } from '../stanza.js'
import { distances } from './distances.js'
import { type LoadChat, type NotedChat, type Pair, noteChats } from './noted-chat.js'

export interface LoadOptions {
  /** Mean distance between two messages of one chat in milliseconds, from one that is written to the next; see {@link distances}. */
  readonly everyMs: number
  /** The same seed, the same distances. Default: a random one. */
  readonly seed?: number
  /**
   * Customers do not write on and on to a gateway that is away: while WhatsApp holds so many stanzas for a device of the business, what
   * they would write is withheld. Default: 100.
   */
  readonly mostHeld?: number
  /** Ends the load when it is raised, as {@link Load.stop} does. */
  readonly signal?: AbortSignal
}

export interface LoadCounts {
  readonly chats: number
  /** Messages that customers wrote. */
  readonly written: number
  /** Times that a customer did not write, because WhatsApp held too much for the business or no device is linked to it any more. */
  readonly withheld: number
  /** Stanzas that WhatsApp holds for the businesses now, each for the device that is furthest behind; 0 when all was taken. */
  readonly held: number
  /** Messages that the phones show from these businesses, since the load began. */
  readonly shown: number
  /** Chats that broke down: {@link Load.stop} says why. */
  readonly failed: number
}

const MOST_CHATS = 10_000
const MOST_HELD = 100
/** One and a half of it still fits a timer (2^31 ms). */
const LONGEST_MS = 86_400_000

/** Every customer with every business. */
export const everyPair = (businesses: readonly Business[], customers: readonly Customer[]): Pair[] =>
  businesses.flatMap(business => customers.map(customer => ({ business, customer })))

/**
 * Customers who write to businesses, each chat independently of the others, from now on until it is stopped.
 *
 * It links nothing: the businesses have their devices already. All that is written and shown is noted, so memory grows with the messages.
 *
 * ```ts
 * const load = new Load(everyPair(businesses, customers), { everyMs: 2_000, seed: 1 })
 * const { written, held } = load.counts() // at any moment
 * const counts = await load.stop()
 * ```
 */
export class Load {
  readonly everyMs: number
  readonly seed: number
  readonly mostHeld: number
  readonly #chats: readonly NotedChat[]
  readonly #end = new AbortController()
  readonly #signal: AbortSignal
  readonly #talks: Promise<unknown>
  /** One listener for all: a signal with thousands of them looks through all at each further one. */
  readonly #resting = new Set<() => void>()
  readonly #failures: unknown[] = []
  #withheld = 0

  /**
   * @throws SimulatorError when there is no pair, one is named twice, there are too many, or an option is out of its range;
   * ConflictError when a business has no linked device.
   */
  constructor(pairs: readonly Pair[], { everyMs, seed = randomInt(2 ** 31), mostHeld = MOST_HELD, signal }: LoadOptions) {
    requireChats(pairs)
    requireRange('everyMs', everyMs, 1, LONGEST_MS)
    requireRange('seed', seed, 0, 2 ** 32 - 1)
    requireRange('mostHeld', mostHeld, 1, Number.MAX_SAFE_INTEGER)
    this.everyMs = everyMs
    this.seed = seed
    this.mostHeld = mostHeld
    this.#signal = signal === undefined ? this.#end.signal : AbortSignal.any([signal, this.#end.signal])
    this.#signal.addEventListener('abort', () => { for (const wake of this.#resting) wake() }, { once: true })
    this.#chats = noteChats(pairs)
    this.#talks = Promise.all(this.#chats.map((chat, at) =>
      this.#talk(chat, distances(everyMs, seeded(seed + at))).catch((problem: unknown) => { this.#failures.push(problem) })))
  }

  get running(): boolean {
    return !this.#signal.aborted
  }

  /** What was written and shown until now, also after the end. */
  get chats(): readonly LoadChat[] {
    for (const phone of new Set(this.#chats.map(chat => chat.phone))) phone.look()
    return this.#chats
  }

  counts(): LoadCounts {
    const { chats } = this
    const backlogs = new Set(this.#chats.map(({ backlog }) => backlog))
    return {
      chats: chats.length,
      written: sum(chats, ({ written }) => written.size),
      withheld: this.#withheld,
      held: sum([...backlogs], ({ held }) => held),
      shown: sum(chats, ({ shown }) => shown.length),
      failed: this.#failures.length,
    }
  }

  /**
   * Nobody writes any more; a message that is being written is finished. Answers may be on their way still: {@link counts} goes on counting.
   * @throws AggregateError with the reasons when the writing itself broke down.
   */
  async stop(): Promise<LoadCounts> {
    this.#end.abort()
    await this.#talks
    const { length } = this.#failures
    if (length > 0) throw new AggregateError(this.#failures, `the load itself broke down in ${length} of ${this.#chats.length} chats`)
    return this.counts()
  }

  async #talk(chat: NotedChat, distancesMs: Iterable<number>): Promise<void> {
    for (const ms of distancesMs) {
      if (this.running) await this.#rest(ms)
      if (!this.running) return
      chat.phone.look()
      await this.#say(chat)
    }
  }

  async #rest(ms: number): Promise<void> {
    await new Promise<void>(resolve => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#resting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#resting.add(wake)
    })
  }

  async #say({ business, customer, backlog, written }: NotedChat): Promise<void> {
    if (business.devices.size === 0 || backlog.held + backlog.underWay >= this.mostHeld) {
      this.#withheld++
      return
    }
    const id = newMessageId()
    const text = `${customer.phone} to ${business.phone}: ${written.size}`
    // Noted before it is on its way: whoever has it finds it here.
    written.set(id, text)
    backlog.underWay++
    await customer.say(business, text, { id }).finally(() => { backlog.underWay-- })
  }
}

function requireChats(pairs: readonly Pair[]): void {
  if (pairs.length === 0) throw new SimulatorError('a load needs at least one business and one customer')
  if (pairs.length > MOST_CHATS) throw new SimulatorError(`${pairs.length} chats are too many: ${MOST_CHATS} at most`)
  const named = new Set(pairs.map(({ business, customer }) => `${business.phone} ${customer.phone}`))
  if (named.size < pairs.length) throw new SimulatorError('a business and a customer are named together twice')
  for (const { business } of pairs) business.requireDevices()
}

function requireRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new SimulatorError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
  }
}

const sum = <T>(of: readonly T[], count: (one: T) => number): number => of.reduce((total, one) => total + count(one), 0)
