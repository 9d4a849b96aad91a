export type Counter =
  | 'messagesJournalled' | 'messagesUndecryptable' | 'eventsForwarded' | 'eventsParked' | 'deliveriesFailed'
  | 'sendsAcknowledged' | 'sendsUnknown' | 'sendsRefused' | 'socketsEnded'

/** Plain counts since the start, logged with each status line and at the end. */
export class Counters {
  readonly #counts = new Map<Counter, number>()

  add(counter: Counter, by = 1): void {
    this.#counts.set(counter, this.get(counter) + by)
  }

  get(counter: Counter): number {
    return this.#counts.get(counter) ?? 0
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
