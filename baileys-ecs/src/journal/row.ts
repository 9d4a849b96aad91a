import type { ConnectionUpdated, ContactsUpdated, MessageStatus } from '@kesher/contracts'
import { journalSortKey } from '../store/keys.js'
import { chatOf, namesOf } from './stanza.js'

/** One thing that the webhook has not acknowledged yet. Rows that share a lane (`lanesOf`) are forwarded strictly in the order of their keys. */
export type JournalRow = MessageRow | EventRow

interface Row {
  /** Sort key: `<receivedAt>#<id>`; unique and rising, because `receivedAt` rises with each row. */
  readonly sk: string
  readonly lane: string
  /** Set when the webhook refused the row for good; such a row is kept for a person and forwarded no more. */
  readonly parked?: Parked
}

export interface MessageRow extends Row {
  readonly kind: 'message'
  readonly receivedAt: number
  /** Attributes of WhatsApp's stanza, only those that matter (`STANZA_ATTRIBUTES`). */
  readonly attrs: Readonly<Record<string, string>>
  readonly fromMe: boolean
  readonly backlog: boolean
  /** The decrypted `proto.Message`, without its padding; absent if `unsupported` says why. */
  readonly plaintext?: Uint8Array
  readonly unsupported?: string
  /** What became of the message's file, once that is known. */
  readonly media?: StoredFile
}

/** Where a file is now, or why it is nowhere; in the words of the contract's `MediaContent`. */
export type StoredFile =
  | { readonly objectKey: string; readonly sha256: string; readonly bytes: number }
  | { readonly missing: string }

export interface EventRow extends Row {
  readonly kind: 'event'
  readonly event: MessageStatus | ConnectionUpdated | ContactsUpdated
}

/** All lanes of a row: a message stands in one for each name of its chat, so that rows that know one name each meet those that know both. */
export const lanesOf = (row: JournalRow): readonly string[] =>
  row.kind === 'event' ? [row.lane] : [...new Set([row.lane, ...namesOf(chatOf(row.attrs, row.fromMe))])]

/** Follows a message through every log line; a customer's message begins one with its own id. */
export const correlationOf = (row: JournalRow): string => row.kind === 'event' ? row.event.correlationId : row.attrs['id'] ?? ''

export interface Parked {
  readonly at: number
  readonly status: number
  readonly reason: string
}

/** A status event waits behind nothing but events of the same message: their order has a meaning only there. */
export function statusRow(event: MessageStatus, stamp: number): EventRow {
  return { kind: 'event', sk: journalSortKey(stamp, event.messageId), lane: `status ${event.messageId}`, event }
}

export function connectionRow(event: ConnectionUpdated, stamp: number): EventRow {
  return { kind: 'event', sk: journalSortKey(stamp, 'connection'), lane: 'connection', event }
}

/** Nothing waits behind contacts but other contacts. */
export function contactsRow(event: ContactsUpdated, stamp: number): EventRow {
  return { kind: 'event', sk: journalSortKey(stamp, 'contacts'), lane: 'contacts', event }
}

/**
 * Milliseconds that rise with each call, so that rows of a burst keep their order and no two share a key.
 * Under load it may run a little ahead of the wall clock; it never runs back.
 */
export class JournalClock {
  #last = 0
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Continues after a row written by an earlier owner, whose clock may have been ahead of ours. */
  continueAfter(sortKey: string): void {
    const stamp = Number(sortKey.slice(0, 15))
    if (Number.isSafeInteger(stamp)) this.#last = Math.max(this.#last, stamp)
  }

  next(): number {
    this.#last = Math.max(this.#now(), this.#last + 1)
    return this.#last
  }
}
