import { randomBytes } from 'node:crypto'
import { Curve, type KeyPair, aesDecryptCTR, aesDecryptGCM, aesEncryptCTR, derivePairingCodeKey, hkdf } from '@whiskeysockets/baileys'
import { SERVER } from '../jids.js'
import { type Stanza, bytesIn, child, leaf, timestamp } from '../stanza.js'

/**
 * The cryptography of pairing by a code of eight characters that the new device shows and a person types on the phone. Each side
 * sends its ephemeral key under a key derived from the code, so only who knows the code can agree on a secret; the device then
 * proves its identity key under that secret, and both derive the secret that a QR code would have carried.
 */

const SALT = 32
const IV = 16
const KEY = 32
const GCM_IV = 12

/** What a device says when it shows a code (`companion_hello`). */
export interface CompanionHello {
  /** The phone number's jid. */
  readonly jid: string
  readonly noiseKey: Buffer
  readonly wrappedEphemeral: Buffer
}

export const readHello = (registration: Stanza): CompanionHello => ({
  jid: registration.attrs.jid ?? '',
  noiseKey: bytesIn(registration, 'companion_server_auth_key_pub'),
  wrappedEphemeral: bytesIn(registration, 'link_code_pairing_wrapped_companion_ephemeral_pub'),
})

/** The device's proof and its identity key (`companion_finish`). */
export interface CompanionFinish {
  readonly identity: Buffer
  readonly keyBundle: Buffer
}

export const readFinish = (registration: Stanza): CompanionFinish => ({
  identity: bytesIn(registration, 'companion_identity_public'),
  keyBundle: bytesIn(registration, 'link_code_pairing_wrapped_key_bundle'),
})

/** The phone's half, after its owner typed the code. */
export class PhoneHalf {
  readonly #identity: KeyPair
  readonly #shared: Uint8Array
  /** Our ephemeral key, for the device. */
  readonly wrappedEphemeral: Buffer

  private constructor(identity: KeyPair, shared: Uint8Array, wrappedEphemeral: Buffer) {
    this.#identity = identity
    this.#shared = shared
    this.wrappedEphemeral = wrappedEphemeral
  }

  static async of(identity: KeyPair, code: string, { wrappedEphemeral }: CompanionHello): Promise<PhoneHalf> {
    const theirKey = await derivePairingCodeKey(code, wrappedEphemeral.subarray(0, SALT))
    const theirEphemeral = aesDecryptCTR(wrappedEphemeral.subarray(SALT + IV), theirKey, wrappedEphemeral.subarray(SALT, SALT + IV))
    const ephemeral = Curve.generateKeyPair()
    const [salt, iv] = [randomBytes(SALT), randomBytes(IV)]
    const ourKey = await derivePairingCodeKey(code, salt)
    const wrapped = Buffer.concat([salt, iv, aesEncryptCTR(ephemeral.public, ourKey, iv)])
    return new PhoneHalf(identity, Curve.sharedKey(ephemeral.private, theirEphemeral), wrapped)
  }

  /** @returns the secret that the pairing is signed with; undefined when the two sides did not use the same code. */
  secret({ identity, keyBundle }: CompanionFinish): Buffer | undefined {
    const salt = keyBundle.subarray(0, SALT)
    const key = hkdf(this.#shared, KEY, { salt, info: 'link_code_pairing_key_bundle_encryption_key' })
    const opened = open(keyBundle.subarray(SALT + GCM_IV), key, keyBundle.subarray(SALT, SALT + GCM_IV))
    if (!opened?.subarray(0, KEY).equals(identity) || !opened.subarray(KEY, 2 * KEY).equals(this.#identity.public)) return undefined
    const identities = Curve.sharedKey(this.#identity.private, identity)
    return Buffer.from(hkdf(Buffer.concat([this.#shared, identities, opened.subarray(2 * KEY)]), KEY, { info: 'adv_secret' }))
  }
}

function open(sealed: Uint8Array, key: Uint8Array, iv: Uint8Array): Buffer | undefined {
  try {
    return aesDecryptGCM(sealed, key, iv, Buffer.alloc(0))
  } catch {
    return undefined // sealed under another secret: the code was wrong
  }
}

/** Tells the device that its code was typed. */
export const codeEntered = (ref: string, identity: Uint8Array, { wrappedEphemeral }: PhoneHalf): Stanza => ({
  tag: 'notification', attrs: { from: SERVER, type: 'link_code_companion_reg', id: `code-${ref}`, t: timestamp() },
  content: [{
    tag: 'link_code_companion_reg', attrs: { stage: 'primary_hello' },
    content: [
      leaf('link_code_pairing_ref', Buffer.from(ref)),
      leaf('primary_identity_pub', identity),
      leaf('link_code_pairing_wrapped_primary_ephemeral_pub', wrappedEphemeral),
    ],
  }],
})

export const refOf = (registration: Stanza): string => bytesIn(registration, 'link_code_pairing_ref').toString()
export const registrationIn = (query: Stanza): Stanza | undefined => child(query, 'link_code_companion_reg')
