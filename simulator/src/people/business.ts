import { proto } from '@whiskeysockets/baileys'
import type { Content, Extras } from '../content/content.js'
import { textOf } from '../content/read.js'
import { write } from '../content/write.js'
import { ConflictError } from '../errors.js'
import type { Addressing } from '../jids.js'
import { BoundedMap, Journal } from '../journal.js'
import type { MediaStore } from '../media/media-store.js'
import type { Ending } from '../server/endings.js'
import { type Notice, notice, restrictionChanged, stateChanged } from '../server/notifications.js'
import type { PairingDesk } from '../server/pairing.js'
import { type Stanza, leaf, newMessageId, timestamp } from '../stanza.js'
import { stanzaAttrs } from '../content/stanza-attrs.js'
import { AddressBook, CONTACTS } from './address-book.js'
import type { BusinessSettings, PhoneRequest } from './business-settings.js'
import { noCounts } from './counts.js'
import type { Customer } from './customer.js'
import type { KeyBundle } from './key-bundle.js'
import type { LinkedDevice } from './linked-device.js'
import { OwnerPhone } from './owner-phone.js'
import { historySync, lidMapping } from './peer-messages.js'
import { type Envelope, type Identity, Person } from './person.js'
import { Restriction } from './restriction.js'

/** What the phone was told that a linked device sent: every device of an account shows the same chats. */
export interface SentCopy {
  readonly id: string
  /** The chat's jid; null when the copy does not name it. */
  readonly to: string | null
  readonly text: string | null
  /** Milliseconds since 1970. */
  readonly at: number
}

/** How the owner sends; `addressing` is how the chat is named, `lid` by default. */
export interface OwnerOptions extends Extras {
  readonly id?: string
  readonly addressing?: Addressing
}

/** A business' WhatsApp account as seen from its phone, which scans the QR code and on which the owner types. */
export class Business extends Person {
  /** Device number -> linked device. */
  readonly devices = new Map<number, LinkedDevice>()
  readonly sentCopies = new Journal<SentCopy>(1_000)
  readonly counts = noCounts()
  /** Whose LID and phone number the phone reveals as one person in the history sync after pairing. */
  readonly knownCustomers: Customer[] = []
  /** Whom the owner saved on the phone. */
  readonly addressBook: AddressBook
  /** What our devices and this phone wrote; a phone knows its own messages, for instance to quote them. */
  readonly #ours = new BoundedMap<string, proto.IMessage>(10_000)
  readonly #phone = new OwnerPhone(this.media, (device, message, attrs) => this.#tell(device, message, { from: this.phoneJid, ...attrs }))
  #nextDeviceNumber = 1
  readonly #restriction = new Restriction()
  readonly #desk: PairingDesk

  constructor(identity: Identity, media: MediaStore, desk: PairingDesk) {
    super(identity, media)
    this.#desk = desk
    this.addressBook = new AddressBook(media)
  }

  get connected(): boolean {
    return [...this.devices.values()].some(({ connected }) => connected)
  }

  get settings(): Readonly<BusinessSettings> {
    return this.#phone.settings
  }

  /** What linked devices asked of the phone. */
  get requests(): Journal<PhoneRequest> {
    return this.#phone.requests
  }

  /** Changes some settings of the phone; one that is switched on does what it was asked for meanwhile. */
  change(settings: Partial<BusinessSettings>): Promise<void> {
    return this.turn.run(() => this.#phone.change(settings))
  }

  /** Until when WhatsApp lets the account begin no new chats, in milliseconds since 1970; null when it may. */
  get restrictedUntil(): number | null {
    return this.#restriction.until
  }

  /** Restricts the account, or (`null`) lifts the restriction; linked devices are told. */
  restrict(until: number | null): void {
    this.#restriction.until = until
    this.deliver(restrictionChanged(until))
  }

  mayWriteTo(person: Person): boolean {
    return person === this || this.#restriction.allows(person)
  }

  override deviceNumbers(): number[] {
    return [0, ...this.devices.keys()]
  }

  override bundleOf(number: number): KeyBundle | undefined {
    return number === 0 ? this.device.bundle() : this.devices.get(number)?.takeBundle()
  }

  nextDeviceNumber(): number {
    return this.#nextDeviceNumber++
  }

  /**
   * Scans the QR code that Baileys showed: the new device's pairing is completed at once.
   * @throws NotFoundError when the code is unknown or expired.
   */
  scan(qr: string): LinkedDevice {
    return this.#desk.scan(this, qr)
  }

  /**
   * Types the code that a new device shows for this phone number; the new device's pairing is completed at once.
   * @throws NotFoundError when no device waits for one, ConflictError when it is wrong.
   */
  enterCode(code: string): Promise<LinkedDevice> {
    return this.#desk.enterCode(this, code)
  }

  /**
   * The owner answers a customer on the phone itself. The customer gets the message; linked devices get a copy that says
   * where it went.
   * @returns the message's id.
   */
  say(customer: Customer, text: string, options: OwnerOptions = {}): Promise<string> {
    return this.sendContent(customer, { kind: 'text', text }, options)
  }

  /** As {@link say}, for any content. */
  sendContent(
    customer: Customer, content: Content, { id = newMessageId(), addressing = 'lid', ...extras }: OwnerOptions = {},
  ): Promise<string> {
    return this.turn.run(async () => {
      const chat = customer.jid(addressing)
      const message = await write(content, extras, {
        media: this.media,
        keyOf: target => ({ id: target, remoteJid: chat, fromMe: this.#ours.has(target) }),
        authorOf: target => (this.#ours.has(target) ? this.jid(addressing) : chat),
        messageOf: target => this.#ours.get(target),
      })
      this.#ours.set(id, message)
      this.#phone.remember(chat, id, true, message)
      await this.#tellDevices({ deviceSentMessage: { destinationJid: chat, message } }, {
        id, recipient: chat, ...stanzaAttrs(message),
        ...(addressing === 'lid'
          ? { from: this.lidJid, addressing_mode: 'lid', recipient_pn: customer.phoneJid, sender_pn: this.phoneJid }
          : { from: this.phoneJid }),
      })
      await customer.hear(this, id, message)
      return id
    })
  }

  /** Tells a freshly linked device what it must know; see {@link historySync}. */
  sendHistorySync(): Promise<void> {
    return this.#tellPeers(historySync(this.knownCustomers))
  }

  /** The phone tells its devices whose LID is whose phone number, as it does once a chat moves from one to the other. */
  tellMapping(...customers: readonly Customer[]): Promise<void> {
    return this.#tellPeers(lidMapping(customers))
  }

  /** Gives the devices the key to the phone's contacts. A real phone does it while it links a device, and when it makes a new key. */
  shareStateKey(): Promise<void> {
    return this.#tellPeers(this.addressBook.keyShare())
  }

  /** The owner saves somebody in the phone's address book, or renames them; linked devices are told that something changed. */
  saveContact(person: Person, name = person.name): Promise<void> {
    const { phoneJid, lidJid } = person
    return this.#changeBook(() => this.addressBook.save({ phoneJid, lidJid, name }))
  }

  removeContact(person: Person): Promise<void> {
    return this.#changeBook(() => this.addressBook.remove(person.phoneJid))
  }

  #changeBook(change: () => Promise<void>): Promise<void> {
    return this.turn.run(async () => {
      const isFirst = this.addressBook.version === 0
      await change()
      if (isFirst) await this.#tellDevices(this.addressBook.keyShare(), this.#peerAttrs())
      for (const device of this.devices.values()) device.deliver(stateChanged(CONTACTS, this.addressBook.version))
    })
  }

  override receive(envelope: Envelope): Promise<void> {
    return this.turn.run(async () => {
      const copy = (await this.tryDecrypt(envelope))?.deviceSentMessage
      const request = copy?.message?.protocolMessage?.peerDataOperationRequestMessage
      if (request) await this.#phone.passOn(envelope.from, envelope.id, request)
      if (!copy || request) return
      if (this.#ours.has(envelope.id)) return
      this.#ours.set(envelope.id, copy.message ?? {})
      this.sentCopies.append({
        id: envelope.id, to: copy.destinationJid ?? null, text: textOf(copy.message), at: Date.now(),
      })
    })
  }

  /** A customer's message arrives on the phone, too. The two phones' encryption is not simulated. */
  hear(chat: string, id: string, message: proto.IMessage): void {
    this.#restriction.heardFrom(chat)
    this.#phone.remember(chat, id, false, message)
  }

  /** A linked device cannot load a file any more, and asks the phone for it. */
  uploadAgain(device: LinkedDevice, receipt: Stanza): Promise<void> {
    return this.turn.run(() => this.#phone.uploadAgain(device, receipt))
  }

  /** Ends the sessions of all connected devices. @throws ConflictError when none is connected. */
  disconnect(how: Ending): void {
    const connected = [...this.devices.values()].filter(device => device.connected)
    if (connected.length === 0) throw new ConflictError(`${this.phone} has no connected device`)
    for (const device of connected) device.disconnect(how)
  }

  /**
   * A newsletter ("channel") that the business follows posts something. Newsletters are public, so nothing is encrypted.
   * @param newsletter the newsletter's jid (`...@newsletter`). @returns the message's id.
   */
  showNewsletterPost(newsletter: string, text: string, { id = newMessageId() } = {}): string {
    this.deliver({
      tag: 'message', attrs: { from: newsletter, id, server_id: '100', type: 'text', t: timestamp() },
      content: [leaf('plaintext', proto.Message.encode({ conversation: text }).finish())],
    })
    return id
  }

  /** The server tells the linked devices something about this account or about somebody. */
  notify(kind: Notice, about: Person = this): void {
    this.deliver(notice(kind, about))
  }

  /** Hands a stanza to every linked device. @throws ConflictError when there is none. */
  deliver(stanza: Stanza): void {
    for (const device of this.requireDevices()) device.deliver(stanza)
  }

  requireDevices(): LinkedDevice[] {
    if (this.devices.size === 0) throw new ConflictError(`${this.phone} has no linked device: scan a QR code first`)
    return [...this.devices.values()]
  }

  /** Of what the phone says to its own devices alone. */
  #peerAttrs(): Stanza['attrs'] {
    return { id: newMessageId(), from: this.phoneJid, category: 'peer' }
  }

  #tellPeers(message: proto.IMessage): Promise<void> {
    return this.turn.run(() => this.#tellDevices(message, this.#peerAttrs()))
  }

  async #tellDevices(message: proto.IMessage, attrs: Stanza['attrs']): Promise<void> {
    for (const device of this.devices.values()) await this.#tell(device, message, attrs)
  }

  async #tell(device: LinkedDevice, message: proto.IMessage, attrs: Stanza['attrs']): Promise<void> {
    const enc = await this.encryptFor(device, message)
    device.deliver({ tag: 'message', attrs: { type: 'text', ...attrs, t: timestamp(), notify: this.name }, content: [enc] })
  }
}
