import { MISSING_KEYS_ERROR_TEXT, proto, type BinaryNode, type WAMessage } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'
import type { Backpressure } from '../concurrency/backpressure.js'
import { SerialQueue } from '../concurrency/serial-queue.js'
import { within } from '../concurrency/sleep.js'
import { inboundRow, undecryptableRow, unpadded } from '../journal/inbound-row.js'
import { PendingStanzas } from '../journal/pending-stanzas.js'
import { resentMessages } from '../journal/resent.js'
import { messageStatus, readReceipt } from '../journal/receipts.js'
import { statusRow, type JournalClock, type JournalRow, type MessageRow } from '../journal/row.js'
import { onlyNameIn, readStanza, secondName, type Me, type Stanza } from '../journal/stanza.js'
import type { Counters } from '../observability/counters.js'
import type { Logger } from '../observability/logger.js'
import { redactText } from '../observability/redact.js'
import type { OwnWrites } from '../sending/own-writes.js'
import type { SentLog } from '../store/sent-log.js'

export interface IntakeOptions {
  readonly tenantId: string
  readonly me: () => Me | undefined
  readonly clock: JournalClock
  readonly sent: SentLog
  readonly ownWrites: OwnWrites
  /** Stores rows and hands them to the forwarder. */
  readonly append: (rows: readonly JournalRow[]) => Promise<void>
  /** The other name of a direct chat's person, phone or LID, if it was ever learnt. */
  readonly otherName: (jid: string) => Promise<string | undefined>
  /** Ends the socket: whatever is not stored yet will be delivered again. */
  readonly failed: (error: unknown) => void
  /** Stops reading from WhatsApp while too much is in hand. */
  readonly pressure: Backpressure
  readonly now: () => number
  readonly logger: Logger
  readonly counters: Counters
}

/** The part of Baileys' WebSocket client that the intake stands in front of. */
export interface StanzaEmitter {
  listeners: (event: string) => unknown[]
  removeAllListeners: (event: string) => unknown
  on: (event: string, listener: (node: BinaryNode) => void) => unknown
}
type Handler = (node: BinaryNode) => Promise<void>

/** Ids are their sender's choice, and so is their length. */
const IDS_BYTES = 1_000_000
/** Baileys handles a message in milliseconds; its own queries give up after 20 s. */
const HANDLING_MS = 120_000

/** Baileys never came back from a message, so every later one would wait for ever behind it. */
class StuckError extends Error {
  override readonly name = 'StuckError'
  constructor() {
    super(`Baileys did not finish with a message in ${HANDLING_MS} ms`)
  }
}

/**
 * Stands between WhatsApp's stanzas and Baileys, so that nothing is receipted before it is in the journal.
 *
 * Messages pass one at a time, in the order in which they came: Baileys itself handles live ones concurrently and works
 * off a backlog beside them, which changes the order within a chat. Receipts of our messages are journalled first, too.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #stanzas = new PendingStanzas()
  readonly #messages = new SerialQueue()
  readonly #receipts = new SerialQueue()
  /** Ids whose decrypted content passed `rowOf`, so that `messages.upsert` brings nothing new. */
  readonly #decrypted = new LRUCache<string, true>({ max: 5_000, maxSize: IDS_BYTES, sizeCalculation: (_, id) => id.length + 1 })
  /** Envelopes of what could not be read. */
  readonly #unread = new LRUCache<string, Stanza>({ max: 1_000, maxSize: IDS_BYTES, sizeCalculation: ({ attrs }) => JSON.stringify(attrs).length })
  #open = true

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  attach(stanzas: StanzaEmitter): void {
    const replace = (event: string, put: (node: BinaryNode, baileys: Handler) => void): void => {
      const [baileys] = stanzas.listeners(event) as Handler[]
      if (baileys === undefined) throw new Error(`Baileys no longer listens to ${event}: this gateway is made for 7.0.0-rc14`)
      stanzas.removeAllListeners(event)
      stanzas.on(event, node => { put(node, baileys) })
    }
    replace('CB:message', (node, baileys) => {
      const receivedAt = this.#options.clock.next()
      this.#noteOwn(node, receivedAt)
      this.#options.pressure.track(this.#messages.run(() => this.#message(node, receivedAt, baileys)))
    })
    replace('CB:receipt', (node, baileys) => {
      const { pressure } = this.#options
      if (node.attrs['type'] === 'retry') pressure.track(baileys(node))
      else pressure.track(this.#receipts.run(() => this.#receipt(node, baileys)))
    })
  }

  /** Takes nothing more. Stanzas not handled by now are not receipted, so WhatsApp brings them again. */
  async close(): Promise<void> {
    this.#open = false
    await Promise.all([this.#messages.idle(), this.#receipts.idle()])
  }

  /** The journal rows of a decrypted message, for the ratchet's transaction. */
  rowsOf(ciphertext: Uint8Array, plaintext: Uint8Array): MessageRow[] {
    const stanza = this.#stanzas.find(ciphertext)
    if (stanza === undefined) return []
    const message = unpadded(plaintext)
    if (stanza.fromMe && stanza.attrs['category'] === 'peer') return this.#rowsOf(resentMessages(message), stanza.backlog)
    this.#decrypted.set(stanza.attrs['id'] ?? '', true)
    const row = inboundRow(stanza, message)
    return row === undefined ? [] : [row]
  }

  /** Notes a message that cannot be read, before Baileys asks the sender again and drops it at the server. */
  async unreadable(ciphertext: Uint8Array, error: unknown): Promise<void> {
    const stanza = this.#stanzas.find(ciphertext)
    const reason = error instanceof Error ? error.message : ''
    // Ratchet and row commit together, so a key that was used is a message that was journalled.
    if (stanza !== undefined && reason !== MISSING_KEYS_ERROR_TEXT) await this.#noteUnread(stanza, reason)
  }

  /**
   * What Baileys brings after its own handling and the journal does not have. Everything of a customer is journalled
   * before; this is for what this version of Baileys is not known to bring, such as posts of newsletters in notifications.
   */
  async upserted(messages: readonly WAMessage[], backlog: boolean): Promise<void> {
    const { append, failed } = this.#options
    const rows = this.#rowsOf(messages.filter(({ message, messageStubType }) => message && !messageStubType), backlog)
    try {
      if (rows.length > 0) await append(rows)
    } catch (error) {
      failed(error)
    }
  }

  /** At once, not in the message's turn: an answer may be on its way this very moment. */
  #noteOwn(node: BinaryNode, receivedAt: number): void {
    const { me: ours, sent, ownWrites } = this.#options
    const me = ours()
    if (me === undefined || sent.isRecent(node.attrs['id'] ?? '')) return // our own echo
    const stanza = readStanza(node, me, receivedAt)
    if (stanza !== undefined) ownWrites.arrived(stanza)
  }

  #rowsOf(messages: readonly WAMessage[], backlog: boolean): MessageRow[] {
    return messages.flatMap(({ message, ...envelope }) => {
      const id = envelope.key.id ?? ''
      if (!message || this.#decrypted.has(id)) return []
      this.#decrypted.set(id, true)
      // The phone leaves names and stamps out of what it passes on; the empty stanza had them.
      const known = this.#unread.get(id)
      const stanza = known === undefined ? this.#stanzaOf(envelope, backlog) : { ...known, receivedAt: this.#options.clock.next() }
      const row = inboundRow(stanza, proto.Message.encode(message).finish())
      return row === undefined ? [] : [row]
    })
  }

  async #noteUnread(stanza: Stanza, reason: string): Promise<void> {
    const { counters, logger, append, failed } = this.#options
    const id = stanza.attrs['id'] ?? ''
    const row = undecryptableRow(stanza)
    if (row === undefined) return
    counters.add('messagesUndecryptable')
    logger.warn({ correlationId: id, reason: redactText(reason) }, 'a message could not be decrypted')
    this.#unread.set(id, stanza)
    try {
      await append([row])
    } catch (error) {
      failed(error)
    }
  }

  async #message(node: BinaryNode, receivedAt: number, baileys: Handler): Promise<void> {
    const me = this.#options.me()
    if (!this.#open || me === undefined) return
    const read = readStanza(node, me, receivedAt)
    try {
      const stanza = read === undefined ? undefined : await this.#named(read)
      if (stanza !== undefined) {
        this.#stanzas.note(node, stanza)
        await this.#journalPlaintext(node, stanza)
        if (!isReadable(node)) await this.#noteUnread(stanza, 'it came without content')
      }
      // `offline` would take the stanza round this queue; that it was one is noted in the row.
      const attrs = Object.fromEntries(Object.entries(node.attrs).filter(([name]) => name !== 'offline'))
      const handled = await within(baileys({ ...node, attrs }).then(() => true), HANDLING_MS, false)
      if (!handled) throw new StuckError()
    } catch (error) {
      this.#options.failed(error)
    } finally {
      this.#stanzas.forget(node)
      this.#options.ownWrites.handled(node.attrs['id'] ?? '')
    }
  }

  /** Adds the name that the stanza leaves out: an answer of the owner's by phone belongs to the customer who writes by LID. */
  async #named(stanza: Stanza): Promise<Stanza> {
    const only = onlyNameIn(stanza)
    const other = only === undefined ? undefined : await this.#options.otherName(only)
    return other === undefined ? stanza : { ...stanza, attrs: { ...stanza.attrs, ...secondName(stanza.fromMe, other) } }
  }

  /** Messages that come unencrypted (newsletters, some advertisements) never pass `decryptMessage`. */
  async #journalPlaintext(node: BinaryNode, stanza: Stanza): Promise<void> {
    if (!Array.isArray(node.content)) return
    for (const { tag, content } of node.content) {
      if (tag !== 'plaintext' || !(content instanceof Uint8Array)) continue
      const row = readable(() => inboundRow(stanza, content))
      if (row === undefined) continue
      await this.#options.append([row])
      this.#decrypted.set(stanza.attrs['id'] ?? '', true)
    }
  }

  async #receipt(node: BinaryNode, baileys: Handler): Promise<void> {
    const { me: ours, tenantId, now, clock, sent, append, failed } = this.#options
    const me = ours()
    if (!this.#open || me === undefined) return
    try {
      const receipt = readReceipt(node, me, now())
      const rows: JournalRow[] = []
      for (const id of receipt?.messageIds ?? []) {
        const message = await sent.get(id)
        if (message === undefined || receipt === undefined) continue
        if (message.acknowledgedAt === undefined) await sent.note(id, { acknowledgedAt: receipt.at }) // it was delivered, so it was taken
        rows.push(statusRow(messageStatus(tenantId, message, receipt.status, receipt.at, receipt.from), clock.next()))
      }
      if (rows.length > 0) await append(rows)
      await baileys(node)
    } catch (error) {
      failed(error)
    }
  }

  #stanzaOf({ key, messageTimestamp, pushName }: Omit<WAMessage, 'message'>, backlog: boolean): Stanza {
    const jid = key.remoteJid ?? ''
    const fromMe = key.fromMe === true
    const alternative = key.remoteJidAlt
    const attrs = {
      id: key.id ?? '',
      from: fromMe ? this.#options.me()?.id ?? '' : jid,
      ...(fromMe ? { recipient: jid } : {}),
      ...(key.participant ? { participant: key.participant } : {}),
      ...(messageTimestamp ? { t: String(messageTimestamp) } : {}),
      ...(pushName ? { notify: pushName } : {}),
      ...(alternative ? secondName(fromMe, alternative) : {}),
    }
    return { attrs, fromMe, backlog, receivedAt: this.#options.clock.next() }
  }
}

/** A message that does not even decode is Baileys' to refuse. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** What Baileys decrypts. Anything else (an empty stanza, `msmsg` of bots) it acknowledges and drops. */
const READABLE = new Set(['msg', 'pkmsg', 'skmsg'])

function isReadable({ content }: BinaryNode): boolean {
  return Array.isArray(content) && content.some(({ tag, attrs, content: bytes }) =>
    bytes instanceof Uint8Array && (tag === 'plaintext' || (tag === 'enc' && READABLE.has(attrs['type'] ?? ''))))
}
