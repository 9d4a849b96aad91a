import type { proto } from '@whiskeysockets/baileys'
import type { Content } from '../content/content.js'
import { stanzaAttrs } from '../content/stanza-attrs.js'
import { write } from '../content/write.js'
import { NotFoundError } from '../errors.js'
import { addressingOf, withDevice } from '../jids.js'
import { BoundedMap, Journal } from '../journal.js'
import type { MediaStore } from '../media/media-store.js'
import { devicesChanged, identityChanged } from '../server/notifications.js'
import { type Stanza, leaf, newMessageId, timestamp } from '../stanza.js'
import type { Business } from './business.js'
import { callStanza, corrupted, receiptStanza, retryStanza, unavailable } from './customer-stanzas.js'
import type { CustomerSettings, SayOptions, SendOptions } from './customer-settings.js'
import type { InboxMessage, Receipt } from './inbox.js'
import type { KeyBundle } from './key-bundle.js'
import type { LinkedDevice } from './linked-device.js'
import { type Envelope, type Identity, Person } from './person.js'
import { Screen } from './screen.js'
import { SenderKeys } from './sender-keys.js'
import { SignalDevice } from './signal-device.js'

/** A phone gives up on a message after asking for it this often. */
const MAX_RETRIES = 5

/** A customer with a phone, and perhaps with devices linked to it (WhatsApp Web, for one). */
export class Customer extends Person {
  readonly settings: CustomerSettings = {
    addressing: 'lid', namesBoth: true, sendsReadReceipts: false, offline: false, failDecrypt: 0, answersRetries: true,
  }

  /** Message id -> how many stanzas came with it. A WhatsApp phone shows the first and drops the others. */
  readonly copies = new BoundedMap<string, number>(10_000)
  readonly receipts = new Journal<Receipt>(5_000)
  /** "composing", "paused", ... as businesses sent them. */
  readonly typing = new Journal<{ readonly state: string; readonly at: number }>(1_000)
  /** Retry receipts that this phone sent. */
  retryRequests = 0
  /** Messages that this phone sent again because a business asked. */
  resent = 0

  readonly #screen = new Screen(this.media)
  readonly #retries = new BoundedMap<string, number>(1_000)
  readonly #sent = new BoundedMap<string, { readonly message: proto.IMessage; readonly attrs: Stanza['attrs']; readonly device: number }>(1_000)
  readonly #companions = new Map<number, SignalDevice>()
  /** Companion device -> ids of the messages that it could read. */
  readonly heardBy = new BoundedMap<number, string[]>(10)
  readonly #senderKeys = new SenderKeys()
  /** What the server keeps while the phone is off. */
  #kept: Envelope[] = []

  constructor(identity: Identity, media: MediaStore, settings: Partial<CustomerSettings> = {}) {
    super(identity, media)
    Object.assign(this.settings, settings)
  }

  /** Distinct messages, in the order of their arrival. */
  get inbox(): Journal<InboxMessage> {
    return this.#screen.inbox
  }

  /** Messages that the server keeps until the phone is switched on. */
  get waiting(): number {
    return this.#kept.length
  }

  override deviceNumbers(): number[] {
    return [0, ...this.#companions.keys()]
  }

  override bundleOf(number: number): KeyBundle | undefined {
    return this.#own(number)?.bundle()
  }

  /** Links a further device; the businesses that know the customer are told. @returns its number. */
  linkDevice(...businesses: readonly Business[]): number {
    const number = Math.max(0, ...this.#companions.keys()) + 1
    this.#companions.set(number, new SignalDevice())
    for (const business of businesses) business.deliver(devicesChanged('add', this.#jid, this.#jidOf(number), number))
    return number
  }

  unlinkDevice(number: number, ...businesses: readonly Business[]): void {
    if (!this.#companions.delete(number)) throw new NotFoundError(`${this.phone} has no device ${number}`)
    for (const business of businesses) business.deliver(devicesChanged('remove', this.#jid, this.#jidOf(number), number))
  }

  /** A new phone: all keys and sessions are gone. The businesses that know the customer are told. */
  changePhone(...businesses: readonly Business[]): void {
    this.device = new SignalDevice()
    for (const business of businesses) business.deliver(identityChanged(this.#jid))
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
      messageOf: id => this.#sent.get(id)?.message ?? this.#screen.messageOf(id),
    })
    return this.send(business, message, options)
  }

  /** As {@link say}, for a message as it is encrypted. */
  send(business: Business, message: proto.IMessage, options: SayOptions = {}): Promise<string> {
    const { addressing = this.settings.addressing, device = 0 } = options
    const [lid, phone] = [withDevice(this.lidJid, device), withDevice(this.phoneJid, device)]
    const { namesBoth } = this.settings
    return this.#send(business, message, addressing === 'lid'
      ? { from: lid, addressing_mode: 'lid', ...(namesBoth && { sender_pn: phone }) }
      : { from: phone, addressing_mode: 'pn', ...(namesBoth && { sender_lid: lid }) }, options)
  }

  /**
   * Writes in a group in which the business is, too: encrypted once, under the group's sender key. A device that does not have the
   * key yet gets it with the message.
   * @param group the group's jid (`...@g.us`).
   */
  sayInGroup(business: Business, group: string, text: string, options: SayOptions = {}): Promise<string> {
    return this.#sendToGroup(business, group, { conversation: text }, options)
  }

  /** Posts a status ("story") that the business sees, because it knows the customer. */
  postStatus(business: Business, text: string, options: SayOptions = {}): Promise<string> {
    return this.#sendToGroup(business, 'status@broadcast', { extendedTextMessage: { text } }, options)
  }

  /** "is typing ..." */
  type(business: Business, state: 'composing' | 'paused' = 'composing'): void {
    for (const device of business.requireDevices()) {
      device.deliverNow({ tag: 'chatstate', attrs: { from: this.#jid }, content: [{ tag: state, attrs: {} }] })
    }
  }

  /** Rings. @returns the call's id. */
  call(business: Business, id = newMessageId()): string {
    business.deliver(callStanza(this.#jid, this.name, id, newMessageId()))
    return id
  }

  /** The customer looks at a message. @throws NotFoundError when it never arrived. */
  read(id: string): void {
    const device = this.#screen.senderOf(id)
    if (device) this.#sendReceipt(device, id, 'read')
  }

  override receive(envelope: Envelope): Promise<void> {
    return this.turn.run(async () => {
      if (this.settings.offline) {
        this.#kept.push(envelope)
        return
      }
      const { id, from, to } = envelope
      if (to > 0) {
        await this.#receiveOn(to, envelope)
        return
      }
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
      await this.#screen.show(from.business, id, message, from)
      this.#sendReceipt(from, id)
      if (this.settings.sendsReadReceipts) this.#sendReceipt(from, id, 'read')
    })
  }

  /** A companion device reads along: it has no screen here, but keys, receipts and retries of its own. */
  async #receiveOn(number: number, envelope: Envelope): Promise<void> {
    const own = this.#companions.get(number)
    if (!own) return // unlinked meanwhile
    const { id, from } = envelope
    if (await this.tryDecrypt(envelope, own)) {
      this.heardBy.set(number, [...this.heardBy.get(number) ?? [], id])
      this.#sendReceipt(from, id, undefined, number)
    } else this.#askAgain(from, id, number)
  }

  /** A message that the owner typed on the business' phone. The two phones' encryption is not simulated. */
  hear(business: Business, id: string, message: proto.IMessage): Promise<void> {
    return this.#screen.show(business, id, message)
  }

  /** See {@link Screen.fileIn}. */
  fileIn(id: string): Promise<{ readonly mimetype: string; readonly bytes: Buffer }> {
    return this.#screen.fileIn(id)
  }

  /**
   * A business' device could not decrypt our message and asks for it again: it is encrypted afresh and sent under the
   * same id, in a new session when the request brought keys for one.
   */
  sendAgain(device: LinkedDevice, id: string, attempt: number, bundle: KeyBundle | undefined, number: number): Promise<void> {
    return this.turn.run(async () => {
      const sent = this.#sent.get(id)
      const own = this.#own(number)
      if (sent?.device !== number || !own || !this.settings.answersRetries || attempt > MAX_RETRIES) return
      if (bundle) await own.openSession(device.address, bundle)
      const enc = await this.encryptFor(device, sent.message, own)
      this.resent++
      device.deliver({
        tag: 'message', attrs: sent.attrs, content: [{ ...enc, attrs: { ...enc.attrs, count: String(attempt) } }],
      })
    })
  }

  get #jid(): string {
    return this.jid(this.settings.addressing)
  }

  #jidOf(number: number): string {
    return withDevice(this.#jid, number)
  }

  #own(number: number): SignalDevice | undefined {
    return number === 0 ? this.device : this.#companions.get(number)
  }

  #sendToGroup(
    business: Business, group: string, message: proto.IMessage, { id = newMessageId(), corrupt = false }: SayOptions,
  ): Promise<string> {
    const devices = business.requireDevices()
    return this.turn.run(async () => {
      const attrs = {
        from: group, participant: this.lidJid, participant_pn: this.phoneJid, addressing_mode: 'lid', id, type: 'text', t: timestamp(), notify: this.name,
      }
      this.#sent.set(id, { message, attrs, device: 0 })
      // The key as it is before this message: encrypting turns it.
      const keys = new Map<LinkedDevice, Stanza>()
      for (const device of devices) {
        const distribution = await this.#senderKeys.distributionFor(group, device.address)
        if (distribution) keys.set(device, await this.encryptFor(device, distribution))
      }
      const enc = leaf('enc', await this.#senderKeys.encrypt(group, message), { v: '2', type: 'skmsg' })
      for (const device of devices) {
        const key = keys.get(device)
        device.deliver({ tag: 'message', attrs, content: [...(key ? [key] : []), corrupt ? corrupted(enc) : enc] })
      }
      return id
    })
  }

  #send(
    business: Business, message: proto.IMessage, from: Stanza['attrs'], { id = newMessageId(), corrupt = false, masked, device: number = 0 }: SayOptions,
  ): Promise<string> {
    const devices = business.requireDevices()
    const own = this.#own(number)
    if (!own) throw new NotFoundError(`${this.phone} has no device ${number}`)
    return this.turn.run(async () => {
      const attrs = { ...from, id, ...stanzaAttrs(message), t: timestamp(), notify: this.name }
      this.#sent.set(id, { message, attrs, device: number })
      business.hear(this.jid(addressingOf(from.from ?? '')), id, message)
      for (const device of devices) {
        const enc = masked === undefined ? await this.encryptFor(device, message, own) : unavailable(masked)
        device.deliver({ tag: 'message', attrs, content: [corrupt ? corrupted(enc) : enc] })
      }
      return id
    })
  }

  #sendReceipt(device: LinkedDevice, id: string, type?: 'read', own = 0): void {
    device.deliver(receiptStanza(this.#jidOf(own), id, type))
  }

  /** Asks for a message again, with keys for a new session, as a phone does that could not decrypt it. */
  #askAgain(device: LinkedDevice, id: string, number = 0): void {
    const counter = `${number} ${id}`
    const attempt = (this.#retries.get(counter) ?? 0) + 1
    const bundle = this.bundleOf(number)
    if (attempt > MAX_RETRIES || !bundle) return
    this.#retries.set(counter, attempt)
    this.retryRequests++
    device.deliver(retryStanza(this.#jidOf(number), id, attempt, bundle))
  }
}
