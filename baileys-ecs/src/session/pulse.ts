import type { BinaryNode } from '@whiskeysockets/baileys'

export interface PulseOptions {
  /** A socket whose last round trip is older than this is taken for dead. */
  readonly silenceMs: number
  /** Time for the answer to a probe, which begins this much before the silence is over. */
  readonly probeMs: number
  readonly monotonic: () => number
  /** Asks the server for an answer; what comes of it is seen by `heard`. */
  readonly probe: () => void
  readonly silent: () => void
}

/**
 * Knows when the server last answered something of ours.
 *
 * What it sends by itself proves nothing: only an answer shows that what we write arrives. Baileys alone notices a frozen
 * peer after up to two keep-alives, 35 to 88 s.
 */
export class Pulse {
  readonly #options: PulseOptions
  #heardAt: number | undefined
  #timer: NodeJS.Timeout | undefined
  #over = false
  #resting = false

  constructor(options: PulseOptions) {
    this.#options = options
  }

  /** Milliseconds since the last answer; `undefined` before the first one. */
  get ageMs(): number | undefined {
    return this.#heardAt === undefined ? undefined : this.#options.monotonic() - this.#heardAt
  }

  /** Whether the last round trip is recent enough to send on. */
  get isFresh(): boolean {
    return (this.ageMs ?? Infinity) < this.#options.silenceMs
  }

  /** The server answered: the login, a query, a message. */
  heard(): void {
    if (this.#over) return
    const first = this.#heardAt === undefined
    this.#heardAt = this.#options.monotonic()
    if (first && !this.#resting) this.#watch()
  }

  /** Something of ours stays unanswered: unless the server answers now, the silence is over at once. */
  doubt(): void {
    const { monotonic, probe, probeMs, silent } = this.#options
    if (this.#over || this.#resting) return
    const asked = monotonic()
    clearTimeout(this.#timer)
    probe()
    this.#timer = setTimeout(() => {
      if ((this.#heardAt ?? -Infinity) >= asked) this.#watch()
      else silent()
    }, probeMs)
  }

  /** Nothing is read from the socket for a while, by our own will: an answer that we do not take is no silence. */
  rest(): void {
    this.#resting = true
    clearTimeout(this.#timer)
  }

  /** It is read again. */
  wake(): void {
    this.#resting = false
    if (!this.#over && this.#heardAt !== undefined) this.#watch(this.#options.probeMs)
  }

  stop(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  /** @param least time that whoever answers has in any case */
  #watch(least = 1): void {
    const { monotonic, silenceMs, probeMs } = this.#options
    const due = (this.#heardAt ?? 0) + silenceMs - probeMs
    this.#timer = setTimeout(() => {
      if (monotonic() >= (this.#heardAt ?? 0) + silenceMs - probeMs) this.doubt()
      else this.#watch()
    }, Math.max(least, due - monotonic()))
  }
}

/** Whether a stanza answers something of ours. */
export function isAnswer({ tag, attrs }: Pick<BinaryNode, 'tag' | 'attrs'>): boolean {
  return tag === 'ack' || (tag === 'iq' && (attrs['type'] === 'result' || attrs['type'] === 'error'))
}
