import { ConflictError } from '../errors.js'
import { SERVER } from '../jids.js'
import type { Ending } from '../server/endings.js'
import type { Stanza } from '../stanza.js'
import type { Business } from './business.js'
import type { KeyBundle, PublicKey, SignedPublicKey } from './key-bundle.js'

/** The connection of a linked device, as the device sees it. */
export interface DeviceLink {
  send(stanza: Stanza): void
  end(how: Ending): void
}

/** What a device brings when it is paired. */
export interface DeviceKeys {
  readonly noiseKey: Buffer
  readonly identity: Uint8Array
  readonly registrationId: number
  readonly signedPreKey: SignedPublicKey
}

interface Delivery {
  readonly stanza: Stanza
  redelivered: boolean
}

/**
 * A linked device (one Baileys auth state) as the server knows it: its public keys, what waits for it, and what it was
 * given and has not yet confirmed. WhatsApp is a store-and-forward service: a message stays the server's until the
 * device sends a receipt for it (or refuses it), and is given again after a reconnect.
 */
export class LinkedDevice {
  readonly noiseKey: Buffer
  readonly identity: Uint8Array
  readonly registrationId: number
  signedPreKey: SignedPublicKey
  /** One-time keys that the device uploaded; each is handed out once. */
  readonly preKeys: PublicKey[] = []
  logins = 0
  #link: DeviceLink | undefined
  /** False between the login and `passive active`, when the device is not yet ready for messages. */
  #active = false
  #waiting: Delivery[] = []
  #unconfirmed: Delivery[] = []

  constructor(readonly business: Business, readonly number: number, keys: DeviceKeys) {
    this.noiseKey = keys.noiseKey
    this.identity = keys.identity
    this.registrationId = keys.registrationId
    this.signedPreKey = keys.signedPreKey
  }

  get phoneJid(): string {
    return `${this.business.phone}:${this.number}@${SERVER}`
  }

  get lidJid(): string {
    return `${this.business.lid}:${this.number}@lid`
  }

  /** The name under which phones keep their Signal session with this device, however a stanza addresses it. */
  get address(): string {
    return `${this.business.phone}.${this.number}`
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  /** Connected and ready for messages. */
  get active(): boolean {
    return this.#active
  }

  /** Stanzas that wait for the device to connect. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Messages that were given to the device and neither receipted nor refused. */
  get unconfirmed(): number {
    return this.#unconfirmed.length
  }

  /** The device logged in; it can do so once at a time, so an earlier connection is ended. */
  attach(link: DeviceLink): void {
    this.#link?.end('replaced')
    this.#link = link
    this.#active = false
    this.logins++
  }

  /** The connection is gone: what was not confirmed waits again, before what came later. */
  detach(link: DeviceLink): void {
    if (this.#link !== link) return
    this.#link = undefined
    this.#active = false
    for (const delivery of this.#unconfirmed) delivery.redelivered = true
    this.#waiting.unshift(...this.#unconfirmed)
    this.#unconfirmed = []
  }

  /** @throws ConflictError when the device is not connected. */
  disconnect(how: Ending): void {
    if (!this.#link) throw new ConflictError(`device ${this.number} of ${this.business.phone} is not connected`)
    this.#link.end(how)
  }

  /** The device is ready: it gets what waited, marked `offline`, and is told that this was all. */
  activate(): void {
    const backlog = this.#waiting
    const count = String(backlog.length)
    this.#waiting = []
    if (backlog.length > 0) this.#announce({ tag: 'offline_preview', attrs: { count, message: count } })
    for (const delivery of backlog) {
      this.#give({ ...delivery, stanza: { ...delivery.stanza, attrs: { ...delivery.stanza.attrs, offline: '0' } } })
    }
    this.#announce({ tag: 'offline', attrs: { count } })
    this.#active = true
  }

  /** Hands over a stanza now, or keeps it until the device is back. */
  deliver(stanza: Stanza): void {
    const delivery = { stanza, redelivered: false }
    if (this.#active) this.#give(delivery)
    else this.#waiting.push(delivery)
  }

  /** Hands over what is worthless later, such as "is typing"; a device that is away never sees it. */
  deliverNow(stanza: Stanza): void {
    if (this.#active) this.#link?.send(stanza)
  }

  /**
   * The device receipted the message or (`refused`) said in its ack that it will not have it; either way it is not given
   * again. Confirmations come in the order of deliveries: after a retry request the resent message may already be under
   * way, with the same id, when the refusal of the first one arrives.
   */
  confirm(messageId: string, { refused = false } = {}): void {
    const at = this.#unconfirmed.findIndex(({ stanza }) => stanza.attrs.id === messageId)
    if (at < 0) return
    this.#unconfirmed.splice(at, 1)
    const { counts } = this.business
    if (refused) counts.refused++
    else counts.acknowledged++
  }

  /** Keys for somebody who writes to this device for the first time. */
  takeBundle(): KeyBundle {
    const { registrationId, identity, signedPreKey } = this
    return { registrationId, identity, signedPreKey, preKey: this.preKeys.shift() }
  }

  #give(delivery: Delivery): void {
    if (delivery.stanza.tag === 'message') {
      this.#unconfirmed.push(delivery)
      const { counts } = this.business
      if (delivery.redelivered) counts.redelivered++
      else counts.delivered++
    }
    this.#link?.send(delivery.stanza)
  }

  #announce(content: Stanza): void {
    this.#link?.send({ tag: 'ib', attrs: { from: SERVER }, content: [content] })
  }
}
