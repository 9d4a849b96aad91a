import type { JournalRow } from '../journal/row.js'
import { chatOf, type Stanza } from '../journal/stanza.js'

/** A message that the business's own phone wrote to a person. Times on a monotonic clock, in milliseconds. */
export interface OwnWrite {
  /** Every known name of the person: LID, phone, or both. */
  readonly names: readonly string[]
  /** It is in the journal, so the webhook will have it. */
  readonly journalled: boolean
  /** When the webhook had it, or when there turned out to be nothing to bring it; absent until then. */
  readonly settledAt?: number
}

/**
 * From the claim of an outbox row, which checks the epoch, to the arrival of its command here: the send function gives
 * the connection 3 s.
 */
const IN_FLIGHT_MS = 4_000

/**
 * Whether the claim behind an assistant's command may not have known of this message.
 *
 * @param cameIn when the command arrived
 */
export function mayBeUnknown({ settledAt }: Pick<OwnWrite, 'settledAt'>, cameIn: number): boolean {
  return settledAt === undefined || settledAt > cameIn - IN_FLIGHT_MS
}

/** An owner types by hand; only a phone's backlog after a long absence comes anywhere near. */
const MAX_WRITES = 5_000
/** No command that arrived before this is still under way. */
const KEPT_MS = 120_000

/**
 * What the business's own phone wrote, as far as the epoch of the conversation may not say so yet.
 *
 * The gateway sees the owner's message before anybody else: as the stanza arrives, before it is decrypted. Until the
 * webhook has stored it, and for what was claimed before that, the assistant keeps silent towards this person.
 */
export class OwnWrites {
  /** By message id; the newest stands last. */
  readonly #writes = new Map<string, OwnWrite>()
  readonly #monotonic: () => number

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /** A stanza came, still encrypted. */
  arrived({ attrs, fromMe }: Pick<Stanza, 'attrs' | 'fromMe'>): void {
    const names = personOf(attrs, fromMe)
    if (names !== undefined) this.#put(attrs['id'] ?? '', { names, journalled: false })
  }

  /** The stanza is through Baileys. One that left no row (undecryptable, a protocol message) has nothing to wait for. */
  handled(id: string): void {
    if (this.#writes.get(id)?.journalled === false) this.settled(id)
  }

  /** A row is in the journal, from this socket or from an earlier process. */
  journalled(row: JournalRow): void {
    if (row.kind !== 'message' || row.parked !== undefined) return
    const names = personOf(row.attrs, row.fromMe)
    if (names !== undefined) this.#put(row.attrs['id'] ?? '', { names, journalled: true })
  }

  /** The webhook has the row, or will never take it. */
  forwarded(row: JournalRow): void {
    if (row.kind === 'message' && row.fromMe) this.settled(row.attrs['id'] ?? '')
  }

  /**
   * Whether an assistant's command must not go out now.
   *
   * @param names of the person whom it is for
   * @param cameIn when it arrived, on the same monotonic clock
   */
  supersede(names: readonly string[], cameIn: number): boolean {
    for (const write of this.#writes.values()) {
      if (mayBeUnknown(write, cameIn) && write.names.some(name => names.includes(name))) return true
    }
    return false
  }

  /** Ids of those in the journal that the webhook is not known to have. */
  get awaited(): string[] {
    return [...this.#writes].filter(([, { journalled, settledAt }]) => journalled && settledAt === undefined).map(([id]) => id)
  }

  /** Nothing will bring the message to the webhook any more, or somebody else has. */
  settled(id: string): void {
    const write = this.#writes.get(id)
    if (write !== undefined && write.settledAt === undefined) this.#put(id, { ...write, settledAt: this.#monotonic() })
  }

  get size(): number {
    return this.#writes.size
  }

  #put(id: string, write: OwnWrite): void {
    this.#writes.delete(id)
    this.#writes.set(id, write)
    const spent = this.#monotonic() - KEPT_MS
    for (const [oldest, { settledAt = Infinity }] of this.#writes) {
      if (settledAt >= spent && this.#writes.size <= MAX_WRITES) break
      this.#writes.delete(oldest)
    }
  }
}

/** The names of the person that our own number wrote to; peer traffic between the account's devices is written to nobody. */
function personOf(attrs: Stanza['attrs'], fromMe: boolean): string[] | undefined {
  if (!fromMe || attrs['category'] === 'peer') return undefined
  const { kind, jid, lid, phoneJid } = chatOf(attrs, fromMe)
  return kind === 'direct' ? [jid, lid, phoneJid].filter(name => name != null) : undefined
}
