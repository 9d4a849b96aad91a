import { Curve, NOISE_MODE, aesDecryptGCM, aesEncryptGCM, hkdf, proto, sha256 } from '@whiskeysockets/baileys'
import type { Certificates } from './certificates.js'

const NOTHING = Buffer.alloc(0)

/** AES-GCM under one key, with the message counter as the nonce. */
class CipherState {
  #counter = 0

  constructor(readonly key: Uint8Array) {}

  seal(plaintext: Uint8Array, associated: Uint8Array = NOTHING): Buffer {
    return aesEncryptGCM(plaintext, this.key, this.#nextNonce(), associated)
  }

  open(ciphertext: Uint8Array, associated: Uint8Array = NOTHING): Buffer {
    return aesDecryptGCM(ciphertext, this.key, this.#nextNonce(), associated)
  }

  #nextNonce(): Buffer {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(this.#counter++, 8)
    return nonce
  }
}

/** The encrypted channel after the handshake: one key for each direction. */
export class NoiseTransport {
  readonly #fromClient: CipherState
  readonly #toClient: CipherState

  constructor(fromClient: Uint8Array, toClient: Uint8Array) {
    this.#fromClient = new CipherState(fromClient)
    this.#toClient = new CipherState(toClient)
  }

  seal(plaintext: Uint8Array): Buffer {
    return this.#toClient.seal(plaintext)
  }

  open(ciphertext: Uint8Array): Buffer {
    return this.#fromClient.open(ciphertext)
  }
}

/** Who the client is (its static key), what it wants (pair or log in), and the channel to talk on. */
export interface ClientHandshake {
  readonly clientStatic: Buffer
  readonly payload: proto.ClientPayload
  readonly transport: NoiseTransport
}

/** The server's side of `Noise_XX_25519_AESGCM_SHA256`: `-> e`, `<- e, ee, s, es`, `-> s, se`. */
export class NoiseHandshake {
  readonly #certificates: Certificates
  readonly #ephemeral = Curve.generateKeyPair()
  readonly #clientEphemeral: Uint8Array
  // The protocol's name is exactly 32 bytes long, so it is the first hash as it stands.
  #hash = Buffer.from(NOISE_MODE)
  #chainingKey: Uint8Array = this.#hash
  #cipher = new CipherState(this.#hash)

  /** @param header the connection's first bytes (`WA` and a version), which both sides authenticate. */
  constructor(certificates: Certificates, header: Uint8Array, clientEphemeral: Uint8Array) {
    this.#certificates = certificates
    this.#clientEphemeral = clientEphemeral
    this.#mixHash(header)
    this.#mixHash(clientEphemeral)
  }

  /** The answer to the client's hello: our ephemeral key, our sealed static key, and the certificates for it. */
  serverHello(): Uint8Array {
    const { serverStatic, chain } = this.#certificates
    this.#mixHash(this.#ephemeral.public)
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, this.#clientEphemeral))
    const sealedStatic = this.#seal(serverStatic.public)
    this.#mixKey(Curve.sharedKey(serverStatic.private, this.#clientEphemeral))
    const payload = this.#seal(chain)
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.public, static: sealedStatic, payload },
    }).finish()
  }

  clientFinish(sealedStatic: Uint8Array, sealedPayload: Uint8Array): ClientHandshake {
    const clientStatic = this.#open(sealedStatic)
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, clientStatic))
    const payload = proto.ClientPayload.decode(this.#open(sealedPayload))
    const keys = hkdf(NOTHING, 64, { salt: this.#chainingKey, info: '' })
    return { clientStatic, payload, transport: new NoiseTransport(keys.subarray(0, 32), keys.subarray(32)) }
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = Buffer.from(sha256(Buffer.concat([this.#hash, data])))
  }

  #mixKey(secret: Uint8Array): void {
    const keys = hkdf(secret, 64, { salt: this.#chainingKey, info: '' })
    this.#chainingKey = keys.subarray(0, 32)
    this.#cipher = new CipherState(keys.subarray(32))
  }

  #seal(plaintext: Uint8Array): Buffer {
    const ciphertext = this.#cipher.seal(plaintext, this.#hash)
    this.#mixHash(ciphertext)
    return ciphertext
  }

  #open(ciphertext: Uint8Array): Buffer {
    const plaintext = this.#cipher.open(ciphertext, this.#hash)
    this.#mixHash(ciphertext)
    return plaintext
  }
}
