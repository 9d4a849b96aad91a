import type { proto } from '@whiskeysockets/baileys'
import { type Addressing, lidJid, phoneJid } from '../jids.js'
import { Lock } from '../lock.js'
import type { MediaStore } from '../media/media-store.js'
import type { Stanza } from '../stanza.js'
import type { KeyBundle } from './key-bundle.js'
import type { LinkedDevice } from './linked-device.js'
import { type Ciphertext, SignalDevice } from './signal-device.js'

export interface Identity {
  /** Digits only, with the country code. */
  readonly phone: string
  /** Digits only. */
  readonly lid: string
  readonly name: string
}

/** A message as it arrives at a phone. */
export interface Envelope {
  readonly id: string
  readonly from: LinkedDevice
  /** Which of the receiver's devices it is encrypted for; 0 is the phone. */
  readonly to: number
  readonly ciphertext: Ciphertext
}

/** Somebody with a WhatsApp phone. The phone is device 0 of the account. */
export abstract class Person {
  readonly phone: string
  readonly name: string
  readonly phoneJid: string
  readonly lid: string
  readonly lidJid: string
  /** The phone's keys and sessions; a new phone has new ones. */
  device = new SignalDevice()
  /** Messages that arrived and could not be decrypted, at each attempt. */
  undecryptable = 0
  /** The phone does one thing after the other: see {@link SignalDevice}. */
  protected readonly turn = new Lock()

  constructor({ phone, lid, name }: Identity, protected readonly media: MediaStore) {
    this.phone = phone
    this.name = name
    this.phoneJid = phoneJid(phone)
    this.lid = lid
    this.lidJid = lidJid(lid)
  }

  jid(addressing: Addressing): string {
    return addressing === 'lid' ? this.lidJid : this.phoneJid
  }

  /** The devices of this account that can be written to. */
  abstract deviceNumbers(): readonly number[]

  /** Keys for somebody who writes to one of them for the first time; undefined when there is no such device. */
  abstract bundleOf(number: number): KeyBundle | undefined

  /** A message that one of a business' linked devices sent to this phone. */
  abstract receive(envelope: Envelope): Promise<void>

  /** The `<enc>` of a message to a linked device; the first one opens the session with that device's keys. */
  protected async encryptFor(device: LinkedDevice, message: proto.IMessage, own = this.device): Promise<Stanza> {
    if (!own.hasSessionWith(device.address)) await own.openSession(device.address, device.takeBundle())
    const { type, bytes } = await own.encrypt(device.address, message)
    return { tag: 'enc', attrs: { v: '2', type }, content: bytes }
  }

  /** The message, or undefined (and counted) when it cannot be decrypted. */
  protected async tryDecrypt({ from, ciphertext }: Envelope, own = this.device): Promise<proto.Message | undefined> {
    try {
      return await own.decrypt(from.address, ciphertext)
    } catch {
      // libsignal's reasons are all the same to a person: the text cannot be read. The count tells the test.
      this.undecryptable++
      return undefined
    }
  }
}
