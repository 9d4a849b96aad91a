import type { proto } from '@whiskeysockets/baileys'
import { MEDIA_TYPES, type Content, type Extras } from '../content/content.js'
import { type SeenContent, contextOf, seen, seenFile, textOf } from '../content/read.js'
import { stanzaAttrs } from '../content/stanza-attrs.js'
import { write } from '../content/write.js'
import { NotFoundError } from '../errors.js'
import type { Addressing } from '../jids.js'
import { BoundedMap, Journal } from '../journal.js'
import type { MediaStore } from '../media/media-store.js'
import { type Stanza, newMessageId, timestamp } from '../stanza.js'
import type { Business } from './business.js'
import { type KeyBundle, retryBundleStanzas } from './key-bundle.js'
import type { LinkedDevice } from './linked-device.js'
import { type Envelope, type Identity, Person } from './person.js'

/** A phone gives up on a message after asking for it this often. */
const MAX_RETRIES = 5

/** A message as the customer's screen shows it. */
export interface InboxMessage {
  readonly id: string
  /** The business' phone number. */
  readonly from: string
  /** Which of its devices wrote: 0 is the owner's phone, the others are linked devices. */
  readonly device: number
  /** Its words, or the caption. */
  readonly text: string | null
  readonly content: SeenContent
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What the customer's phone was told about a message that the customer sent. */
export interface Receipt {
  readonly id: string
  /** `delivery`, `inactive` (delivered, nobody looks at the chat), `read`, `retry` (could not be decrypted), ... */
  readonly type: string
  readonly at: number
}

/** How a customer's phone behaves. */
export interface CustomerSettings {
  /** How the customer's messages name the customer; `lid` is what WhatsApp does today. */
  addressing: Addressing
  /** Sends a read receipt for every message as it arrives. */
  sendsReadReceipts: boolean
  /** The phone is off: the server keeps what is sent to it. */
  offline: boolean
  /** For so many messages to come, the phone acts as if it could not decrypt, and asks for them again. */
  failDecrypt: number
  /** Sends a message again when the business asks with a retry receipt. */
  answersRetries: boolean
}

export interface SayOptions {
  /** Chosen freely; WhatsApp's apps choose a random one. */
  readonly id?: string
  /** Only for this message, instead of the customer's setting. */
  readonly addressing?: Addressing
  /** Breaks the ciphertext's authentication code, as a lost ratchet step would. */
  readonly corrupt?: boolean
}

/** How a customer sends any content. */
export type SendOptions = SayOptions & Extras

/** A customer with one phone. */
export class Customer extends Person {
  readonly settings: CustomerSettings = {
    addressing: 'lid', sendsReadReceipts: false, offline: false, failDecrypt: 0, answersRetries: true,
  }

  /** Distinct messages, in the order of their arrival. */
  readonly inbox = new Journal<InboxMessage>(5_000)
  /** Message id -> how many stanzas came with it. A WhatsApp phone shows the first and drops the others. */
  readonly copies = new BoundedMap<string, number>(10_000)
  readonly receipts = new Journal<Receipt>(5_000)
  /** "composing", "paused", ... as businesses sent them. */
  readonly typing = new Journal<{ readonly state: string; readonly at: number }>(1_000)
  /** Retry receipts that this phone sent. */
  retryRequests = 0
  /** Messages that this phone sent again because a business asked. */
  resent = 0

  readonly #shown = new BoundedMap<string, { readonly device: LinkedDevice | undefined; readonly message: proto.IMessage }>(10_000)
  readonly #retries = new BoundedMap<string, number>(1_000)
  readonly #sent = new BoundedMap<string, { readonly message: proto.IMessage; readonly attrs: Stanza['attrs'] }>(1_000)
  /** What the server keeps while the phone is off. */
  #kept: Envelope[] = []

  constructor(identity: Identity, media: MediaStore, settings: Partial<CustomerSettings> = {}) {
    super(identity, media)
    Object.assign(this.settings, settings)
  }

  /** Messages that the server keeps until the phone is switched on. */
  get waiting(): number {
    return this.#kept.length
  }

  /** Changes some settings; a phone that is switched on gets what the server kept for it. */
  async change(settings: Partial<CustomerSettings>): Promise<void> {
    Object.assign(this.settings, settings)
    if (this.settings.offline) return
    const kept = this.#kept
    this.#kept = []
    // All at once take their place in the queue, so that nothing newer comes between them.
    await Promise.all(kept.map(envelope => this.receive(envelope)))
  }

  /** @returns the message's id. @throws ConflictError when the business has no linked device. */
  say(business: Business, text: string, options: SayOptions = {}): Promise<string> {
    return this.send(business, { conversation: text }, options)
  }

  /** As {@link say}, for any content; files are uploaded first. */
  async sendContent(business: Business, content: Content, options: SendOptions = {}): Promise<string> {
    const mine = (id: string): boolean => this.#sent.has(id)
    const message = await write(content, options, {
      media: this.media,
      keyOf: id => ({ id, remoteJid: business.phoneJid, fromMe: mine(id) }),
      authorOf: id => (mine(id) ? this.#jid : business.jid(this.settings.addressing)),
      messageOf: id => this.#sent.get(id)?.message ?? this.#shown.get(id)?.message,
    })
    return this.send(business, message, options)
  }

  /** As {@link say}, for a message as it is encrypted. */
  send(business: Business, message: proto.IMessage, options: SayOptions = {}): Promise<string> {
    const { addressing = this.settings.addressing } = options
    return this.#send(business, message, addressing === 'lid'
      ? { from: this.lidJid, addressing_mode: 'lid', sender_pn: this.phoneJid }
      : { from: this.phoneJid, addressing_mode: 'pn', sender_lid: this.lidJid }, options)
  }

  /**
   * Writes in a group in which the business is, too. The message is encrypted for each device, as WhatsApp does for
   * a group's first message; the sender keys with which it saves that effort later are not simulated.
   * @param group the group's jid (`...@g.us`).
   */
  sayInGroup(business: Business, group: string, text: string, options: SayOptions = {}): Promise<string> {
    return this.#send(business, { conversation: text }, { from: group, ...this.#asParticipant() }, options)
  }

  /** Posts a status ("story") that the business sees, because it knows the customer. */
  postStatus(business: Business, text: string, options: SayOptions = {}): Promise<string> {
    return this.#send(business, { extendedTextMessage: { text } },
      { from: 'status@broadcast', ...this.#asParticipant() }, options)
  }

  /** "is typing ..." */
  type(business: Business, state: 'composing' | 'paused' = 'composing'): void {
    for (const device of business.requireDevices()) {
      device.deliverNow({ tag: 'chatstate', attrs: { from: this.#jid }, content: [{ tag: state, attrs: {} }] })
    }
  }

  /** Rings. @returns the call's id. */
  call(business: Business, id = newMessageId()): string {
    business.deliver({
      tag: 'call', attrs: { from: this.#jid, id: newMessageId(), t: timestamp(), notify: this.name },
      content: [{
        tag: 'offer', attrs: { 'call-id': id, 'call-creator': this.#jid },
        content: [{ tag: 'audio', attrs: { enc: 'opus', rate: '16000' } }],
      }],
    })
    return id
  }

  /** The customer looks at a message. @throws NotFoundError when it never arrived. */
  read(id: string): void {
    if (!this.#shown.has(id)) throw new NotFoundError(`${this.phone} has no message with id ${id}`)
    const device = this.#shown.get(id)?.device
    if (device) this.#sendReceipt(device, id, 'read')
  }

  override receive(envelope: Envelope): Promise<void> {
    return this.turn.run(async () => {
      if (this.settings.offline) {
        this.#kept.push(envelope)
        return
      }
      const { id, from } = envelope
      this.copies.set(id, (this.copies.get(id) ?? 0) + 1)
      if (this.settings.failDecrypt > 0) {
        this.settings.failDecrypt--
        this.#askAgain(from, id)
        return
      }
      // Every copy is decrypted, also those that are not shown: each one turns the ratchet.
      const message = await this.tryDecrypt(envelope)
      if (!message) {
        this.#askAgain(from, id)
        return
      }
      await this.#show(from.business, id, message, from)
      this.#sendReceipt(from, id)
      if (this.settings.sendsReadReceipts) this.#sendReceipt(from, id, 'read')
    })
  }

  /** A message that the owner typed on the business' phone. The two phones' encryption is not simulated. */
  hear(business: Business, id: string, message: proto.IMessage): Promise<void> {
    return this.#show(business, id, message)
  }

  /**
   * The plain file of a message on this phone's screen.
   * @throws NotFoundError when there is no such message, or it has no file; Error when the file is not as the message says.
   */
  async fileIn(id: string): Promise<{ readonly mimetype: string; readonly bytes: Buffer }> {
    const message = this.#shown.get(id)?.message
    const file = message && seenFile(message)
    if (!file) throw new NotFoundError(`${this.phone} has no message with id ${id} and a file`)
    return { mimetype: file.mimetype, bytes: await this.media.download(file.file, MEDIA_TYPES[file.kind]) }
  }

  /**
   * A business' device could not decrypt our message and asks for it again: it is encrypted afresh and sent under the
   * same id, in a new session when the request brought keys for one.
   */
  sendAgain(device: LinkedDevice, id: string, attempt: number, bundle: KeyBundle | undefined): Promise<void> {
    return this.turn.run(async () => {
      const sent = this.#sent.get(id)
      if (!sent || !this.settings.answersRetries || attempt > MAX_RETRIES) return
      if (bundle) await this.device.openSession(device.address, bundle)
      const enc = await this.encryptFor(device, sent.message)
      this.resent++
      device.deliver({
        tag: 'message', attrs: sent.attrs, content: [{ ...enc, attrs: { ...enc.attrs, count: String(attempt) } }],
      })
    })
  }

  get #jid(): string {
    return this.jid(this.settings.addressing)
  }

  #asParticipant(): Stanza['attrs'] {
    return { participant: this.lidJid, participant_pn: this.phoneJid, addressing_mode: 'lid' }
  }

  #send(
    business: Business, message: proto.IMessage, from: Stanza['attrs'], { id = newMessageId(), corrupt = false }: SayOptions,
  ): Promise<string> {
    const devices = business.requireDevices()
    return this.turn.run(async () => {
      const attrs = { ...from, id, ...stanzaAttrs(message), t: timestamp(), notify: this.name }
      this.#sent.set(id, { message, attrs })
      for (const device of devices) {
        const enc = await this.encryptFor(device, message)
        device.deliver({ tag: 'message', attrs, content: [corrupt ? corrupted(enc) : enc] })
      }
      return id
    })
  }

  async #show(business: Business, id: string, message: proto.IMessage, device?: LinkedDevice): Promise<void> {
    if (this.#shown.has(id)) return
    this.#shown.set(id, { device, message })
    this.inbox.append({
      id, from: business.phone, device: device?.number ?? 0, text: textOf(message), content: await this.#look(message), at: Date.now(),
    })
  }

  /** What the screen shows; a file is downloaded at once. */
  async #look(message: proto.IMessage): Promise<SeenContent> {
    const found = seenFile(message)
    if (!found) return seen(message)
    const { file, ...rest } = found
    const caption = textOf(message)
    const shown = { ...rest, ...(caption !== null && { caption }), ...contextOf(message) }
    try {
      return { ...shown, size: (await this.media.download(file, MEDIA_TYPES[found.kind])).length }
    } catch (problem) {
      return { ...shown, size: null, problem: (problem as Error).message } // it is the business' message that is wrong: the test reads it here
    }
  }

  #sendReceipt(device: LinkedDevice, id: string, type?: 'read'): void {
    device.deliver({ tag: 'receipt', attrs: { from: this.#jid, id, t: timestamp(), ...(type && { type }) } })
  }

  /** Asks for a message again, with keys for a new session, as a phone does that could not decrypt it. */
  #askAgain(device: LinkedDevice, id: string): void {
    const attempt = (this.#retries.get(id) ?? 0) + 1
    if (attempt > MAX_RETRIES) return
    this.#retries.set(id, attempt)
    this.retryRequests++
    device.deliver({
      tag: 'receipt', attrs: { from: this.#jid, id, t: timestamp(), type: 'retry' },
      content: [
        { tag: 'retry', attrs: { count: String(attempt), id, t: timestamp(), v: '1' } },
        ...retryBundleStanzas(this.device.bundle()),
      ],
    })
  }
}

/** The last byte belongs to the message's authentication code. */
function corrupted(enc: Stanza): Stanza {
  const bytes = Buffer.from(enc.content as Uint8Array)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0xff, bytes.length - 1)
  return { ...enc, content: bytes }
}
