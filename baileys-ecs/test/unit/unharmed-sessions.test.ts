import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Curve, MISSING_KEYS_ERROR_TEXT, generateSignalPubKey, signedKeyPair, type KeyPair } from '@whiskeysockets/baileys'
import libsignal from 'libsignal'
import '../../src/session/unharmed-sessions.js'

const { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } = libsignal

/** One end of a conversation, with its sessions in memory. */
class Phone {
  readonly #identity = Curve.generateKeyPair()
  readonly #signedPreKey = signedKeyPair(this.#identity, 1)
  readonly #sessions = new Map<string, Uint8Array>()
  readonly #storage: libsignal.SignalStorage = {
    loadSession: id => {
      const stored = this.#sessions.get(id)
      return Promise.resolve(stored && SessionRecord.deserialize(stored))
    },
    storeSession: (id, record) => {
      this.#sessions.set(id, JSON.parse(JSON.stringify(record.serialize())) as Uint8Array)
      return Promise.resolve()
    },
    isTrustedIdentity: () => true,
    loadPreKey: () => Promise.resolve(undefined),
    removePreKey: () => undefined,
    loadSignedPreKey: () => pair(this.#signedPreKey.keyPair),
    getOurRegistrationId: () => 1,
    getOurIdentity: () => pair(this.#identity),
  }

  constructor(readonly address: libsignal.ProtocolAddress) {}

  async open(other: Phone): Promise<void> {
    const { keyId, keyPair, signature } = other.#signedPreKey
    await new SessionBuilder(this.#storage, other.address).initOutgoing({
      registrationId: 1, identityKey: generateSignalPubKey(other.#identity.public),
      signedPreKey: { keyId, publicKey: generateSignalPubKey(keyPair.public), signature },
    } as Parameters<libsignal.SessionBuilder['initOutgoing']>[0])
  }

  async write(to: Phone, text: string): Promise<{ readonly type: number; readonly bytes: Buffer }> {
    const { type, body } = await new SessionCipher(this.#storage, to.address).encrypt(Buffer.from(text))
    return { type, bytes: Buffer.from(body, 'binary') }
  }

  async read(from: Phone, { type, bytes }: { readonly type: number; readonly bytes: Buffer }): Promise<string> {
    const cipher = new SessionCipher(this.#storage, from.address)
    return (type === 3 ? await cipher.decryptPreKeyWhisperMessage(bytes) : await cipher.decryptWhisperMessage(bytes)).toString()
  }
}

const pair = (keys: KeyPair): { privKey: Buffer; pubKey: Buffer } => ({
  privKey: Buffer.from(keys.private), pubKey: Buffer.from(generateSignalPubKey(keys.public)),
})

describe('two people who open a session with each other at the same time', () => {
  it('go on understanding each other, however their messages cross', async () => {
    const [one, two] = [new Phone(new ProtocolAddress('111', 0)), new Phone(new ProtocolAddress('222', 0))]
    await one.open(two)
    await two.open(one)
    let crossing = { fromOne: await one.write(two, 'one 0'), fromTwo: await two.write(one, 'two 0') }
    for (let round = 1; round < 12; round++) {
      assert.equal(await two.read(one, crossing.fromOne), `one ${round - 1}`)
      assert.equal(await one.read(two, crossing.fromTwo), `two ${round - 1}`)
      crossing = { fromOne: await one.write(two, `one ${round}`), fromTwo: await two.write(one, `two ${round}`) }
    }
  })
})

describe('a message that is brought again after it was read', () => {
  it('is known as read, and is told from one that cannot be read', async () => {
    const [one, two] = [new Phone(new ProtocolAddress('111', 0)), new Phone(new ProtocolAddress('222', 0))]
    await one.open(two)
    await two.read(one, await one.write(two, 'hello'))
    await one.read(two, await two.write(one, 'hello'))
    const message = await one.write(two, 'once')
    assert.equal(await two.read(one, message), 'once')
    await assert.rejects(two.read(one, message), { message: MISSING_KEYS_ERROR_TEXT })
    await one.read(two, await two.write(one, 'the ratchet goes on'))
    await two.read(one, await one.write(two, 'on both sides'))
    await assert.rejects(two.read(one, message), { message: MISSING_KEYS_ERROR_TEXT })
    const broken = await one.write(two, 'broken')
    broken.bytes.writeUInt8(broken.bytes.readUInt8(broken.bytes.length - 1) ^ 0xff, broken.bytes.length - 1)
    await assert.rejects(two.read(one, broken), { message: 'No matching sessions found for message' })
  })
})
