import './unharmed-sessions.js'
import libsignal from 'libsignal'
import {
  Curve, type KeyPair, generateRegistrationId, generateSignalPubKey, proto, signedKeyPair, unpadRandomMax16,
  writeRandomPadMax16,
} from '@whiskeysockets/baileys'
import type { KeyBundle } from './key-bundle.js'

const { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } = libsignal

/** `pkmsg` opens a session (it carries the sender's keys); `msg` continues one. */
export type CiphertextType = 'pkmsg' | 'msg'

export interface Ciphertext {
  readonly type: CiphertextType
  readonly bytes: Buffer
}

/**
 * The Signal keys and sessions of one phone, in memory.
 *
 * Every session is a ratchet that is read, turned and written back, so the owner of this object lets one `encrypt` or
 * `decrypt` end before the next begins. Then a message that fails to decrypt is the sender's fault, never ours.
 */
export class SignalDevice {
  readonly identity = Curve.generateKeyPair()
  readonly #registrationId = generateRegistrationId()
  readonly #signedPreKey = signedKeyPair(this.identity, 1)
  readonly #preKeys = new Map<number, KeyPair>()
  readonly #sessions = new Map<string, Uint8Array>()
  #nextPreKeyId = 1

  /** A fresh bundle with a one-time key, as the server would hand it to somebody who writes for the first time. */
  bundle(): KeyBundle {
    const id = this.#nextPreKeyId++
    const pair = Curve.generateKeyPair()
    this.#preKeys.set(id, pair)
    const { keyId, keyPair, signature } = this.#signedPreKey
    return {
      registrationId: this.#registrationId,
      identity: this.identity.public,
      signedPreKey: { id: keyId, value: keyPair.public, signature },
      preKey: { id, value: pair.public },
    }
  }

  hasSessionWith(address: string): boolean {
    return this.#sessions.has(address)
  }

  /** Opens a session from the other side's keys; an existing one is kept for what is still under way. */
  async openSession(address: string, bundle: KeyBundle): Promise<void> {
    const { signedPreKey, preKey } = bundle
    const builder = new SessionBuilder(this.#store, protocolAddress(address))
    await builder.initOutgoing({
      registrationId: bundle.registrationId,
      identityKey: generateSignalPubKey(bundle.identity),
      signedPreKey: {
        keyId: signedPreKey.id, publicKey: generateSignalPubKey(signedPreKey.value), signature: signedPreKey.signature,
      },
      // libsignal does without a one-time key when there is none, though its types demand one.
      preKey: (preKey && { keyId: preKey.id, publicKey: generateSignalPubKey(preKey.value) }) as {
        keyId: number; publicKey: Uint8Array },
    })
  }

  /** @param address `<phone>.<device number>`, with a session (see {@link openSession}). */
  async encrypt(address: string, message: proto.IMessage): Promise<Ciphertext> {
    const plaintext = writeRandomPadMax16(proto.Message.encode(message).finish())
    const { type, body } = await new SessionCipher(this.#store, protocolAddress(address)).encrypt(plaintext)
    return { type: type === 3 ? 'pkmsg' : 'msg', bytes: Buffer.from(body, 'binary') }
  }

  /** @throws when the sender's ratchet and ours do not fit, or this ciphertext was decrypted before. */
  async decrypt(address: string, { type, bytes }: Ciphertext): Promise<proto.Message> {
    const cipher = new SessionCipher(this.#store, protocolAddress(address))
    const plaintext = type === 'pkmsg'
      ? await cipher.decryptPreKeyWhisperMessage(bytes)
      : await cipher.decryptWhisperMessage(bytes)
    return proto.Message.decode(unpadRandomMax16(plaintext))
  }

  readonly #store: libsignal.SignalStorage = {
    loadSession: address => {
      const session = this.#sessions.get(address)
      return Promise.resolve(session && SessionRecord.deserialize(session))
    },
    storeSession: (address, record) => {
      this.#sessions.set(address, record.serialize())
      return Promise.resolve()
    },
    isTrustedIdentity: () => true,
    loadPreKey: id => {
      const pair = this.#preKeys.get(Number(id))
      return Promise.resolve(pair && storedPair(pair))
    },
    removePreKey: id => { this.#preKeys.delete(id) },
    loadSignedPreKey: () => storedPair(this.#signedPreKey.keyPair),
    getOurRegistrationId: () => this.#registrationId,
    getOurIdentity: () => storedPair(this.identity),
  }
}

const storedPair = (pair: KeyPair): { privKey: Buffer; pubKey: Buffer } => ({
  privKey: Buffer.from(pair.private), pubKey: Buffer.from(generateSignalPubKey(pair.public)),
})

function protocolAddress(address: string): libsignal.ProtocolAddress {
  const dot = address.lastIndexOf('.')
  return new ProtocolAddress(address.slice(0, dot), Number(address.slice(dot + 1)))
}
