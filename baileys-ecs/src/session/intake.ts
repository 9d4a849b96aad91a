import { proto, type BinaryNode, type WAMessage } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'
import { SerialQueue } from '../concurrency/serial-queue.js'
import { within } from '../concurrency/sleep.js'
import { inboundRow, unpadded } from '../journal/inbound-row.js'
import { PendingStanzas } from '../journal/pending-stanzas.js'
import { messageStatus, readReceipt } from '../journal/receipts.js'
import { statusRow, type JournalClock, type JournalRow, type MessageRow } from '../journal/row.js'
import { readStanza, type Me, type Stanza } from '../journal/stanza.js'
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
  /** Ends the socket: whatever is not stored yet will be delivered again. */
  readonly failed: (error: unknown) => void
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

/** Baileys handles a message in milliseconds; its own queries give up after 20 s. */
const HANDLING_MS = 120_000

/** Baileys never came back from a message, so every later one would wait for ever behind it. */
class StuckError extends Error {
  override readonly name = 'StuckError'
  constructor() {
    super(`Baileys did not finish with a message in ${HANDLING_MS} ms`)
  }
}

const { CIPHERTEXT } = proto.WebMessageInfo.StubType

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
  readonly #decrypted = new LRUCache<string, true>({ max: 5_000 })
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
      void this.#messages.run(() => this.#message(node, receivedAt, baileys))
    })
    replace('CB:receipt', (node, baileys) => {
      if (node.attrs['type'] === 'retry') void baileys(node)
      else void this.#receipts.run(() => this.#receipt(node, baileys))
    })
  }

  /** Takes nothing more. Stanzas not handled by now are not receipted, so WhatsApp brings them again. */
  async close(): Promise<void> {
    this.#open = false
    await Promise.all([this.#messages.idle(), this.#receipts.idle()])
  }

  /** The journal row of a decrypted message, for the ratchet's transaction. */
  rowOf(ciphertext: Uint8Array, plaintext: Uint8Array): MessageRow | undefined {
    const stanza = this.#stanzas.find(ciphertext)
    if (stanza === undefined) return undefined
    this.#decrypted.set(stanza.attrs['id'] ?? '', true)
    return inboundRow(stanza, unpadded(plaintext))
  }

  /** What surfaces only after Baileys' own handling: placeholder resends, and stubs of what it could not decrypt. */
  async upserted(messages: readonly WAMessage[], backlog: boolean): Promise<void> {
    const { counters, logger, append, failed } = this.#options
    const rows: MessageRow[] = []
    for (const message of messages) {
      const id = message.key.id ?? ''
      if (message.messageStubType === CIPHERTEXT) {
        // Baileys asks the sender again and it comes under the same id: not seen, not forwarded.
        counters.add('messagesUndecryptable')
        logger.warn({ messageId: id, reason: redactText((message.messageStubParameters as readonly string[] | null | undefined)?.[0] ?? '') }, 'a message could not be decrypted')
      } else if (message.message && !message.messageStubType && !this.#decrypted.has(id)) {
        const row = inboundRow(this.#stanzaOf(message, backlog), proto.Message.encode(message.message).finish())
        if (row !== undefined) rows.push(row)
      }
    }
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

  async #message(node: BinaryNode, receivedAt: number, baileys: Handler): Promise<void> {
    const me = this.#options.me()
    if (!this.#open || me === undefined) return
    const stanza = readStanza(node, me, receivedAt)
    try {
      if (stanza !== undefined) {
        this.#stanzas.note(node, stanza)
        await this.#journalPlaintext(node, stanza)
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

  #stanzaOf({ key, messageTimestamp, pushName }: WAMessage, backlog: boolean): Stanza {
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
      ...(alternative ? { [`${fromMe ? 'recipient' : 'sender'}_${alternative.endsWith('@lid') ? 'lid' : 'pn'}`]: alternative } : {}),
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
