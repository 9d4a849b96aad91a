import type { Random } from '../concurrency/backoff.js'

export type Counter =
  | 'messagesJournalled' | 'messagesUndecryptable' | 'mediaStored' | 'mediaMissing' | 'eventsForwarded' | 'eventsParked' | 'deliveriesFailed'
  | 'sendsAcknowledged' | 'sendsUnknown' | 'sendsRefused' | 'socketsEnded' | 'reconnects'

/** Most values of one metric in one line of CloudWatch's embedded metric format. */
const MAX_SAMPLES = 100

/** Plain counts since the start, and how long acknowledgements took since they were last asked for. */
export class Counters {
  readonly #counts = new Map<Counter, number>()
  readonly #random: Random
  #latencies: number[] = []
  #latenciesSeen = 0

  constructor(random: Random = Math.random) {
    this.#random = random
  }

  add(counter: Counter, by = 1): void {
    this.#counts.set(counter, this.get(counter) + by)
  }

  get(counter: Counter): number {
    return this.#counts.get(counter) ?? 0
  }

  /** Milliseconds from a message written to WhatsApp until its server acknowledged it. */
  acknowledgedAfter(ms: number): void {
    // A fair sample of all (reservoir), so that percentiles stay true however many there are.
    const place = this.#latenciesSeen < MAX_SAMPLES ? this.#latenciesSeen : Math.floor(this.#random() * (this.#latenciesSeen + 1))
    this.#latenciesSeen += 1
    if (place < MAX_SAMPLES) this.#latencies[place] = ms
  }

  /** The latencies since the last call, at most a hundred. */
  takeLatencies(): number[] {
    const taken = this.#latencies
    this.#latencies = []
    this.#latenciesSeen = 0
    return taken
  }

  /** All counts by name, for a log line. */
  all(): Readonly<Partial<Record<Counter, number>>> {
    return Object.fromEntries(this.#counts)
  }
}
