import { randomBytes } from 'node:crypto'
import {
  Curve, WA_ADV_ACCOUNT_SIG_PREFIX, WA_ADV_DEVICE_SIG_PREFIX, hmacSign, proto,
} from '@whiskeysockets/baileys'
import { ConflictError, NotFoundError } from '../errors.js'
import type { Faults } from '../faults.js'
import { SERVER, userOf } from '../jids.js'
import type { Business } from '../people/business.js'
import { LinkedDevice } from '../people/linked-device.js'
import { type Stanza, bytesIn, child, leaf, timestamp } from '../stanza.js'
import { type CompanionFinish, type CompanionHello, PhoneHalf, codeEntered, readFinish, readHello, refOf, registrationIn } from './code-pairing.js'

/** A connection that wants to become a linked device. */
export interface Candidate {
  readonly registration: proto.ClientPayload.IDevicePairingRegistrationData
  send(stanza: Stanza): void
}

interface Pairing {
  readonly device: LinkedDevice
  /** The `ADVDeviceIdentity` that the phone signed. */
  readonly details: Uint8Array
}

/** A device that shows a code, until its connection ends. */
interface CodeRequest {
  readonly ref: string
  readonly hello: CompanionHello
  /** Set while a phone that typed the code waits for the device's proof. */
  proof?: (finish: CompanionFinish) => void
}

/** What became of a new device's question about its code. */
export type CodeAnswer = { readonly content?: Stanza[] } | { readonly error: { readonly code: string; readonly text: string } }

/** A phone gives up on a device that does not answer. */
const PROOF_MS = 10_000

/**
 * Pairing by QR code, or by a code that is typed (see `code-pairing.ts`). The server gives the new device references; it shows one in a QR code together with its public
 * keys and a secret. The phone that scans it signs the device's identity key (so everybody can see whose device it is)
 * and proves by the secret that it saw the code; the device signs back, and is asked to reconnect and log in.
 */
export class PairingDesk {
  readonly #candidates = new Map<string, Candidate>()
  readonly #pairings = new Map<Candidate, Pairing>()
  readonly #codes = new Map<Candidate, CodeRequest>()

  /** The stanza that offers references to a new device. */
  offer(candidate: Candidate, { qrCodes }: Faults): Stanza {
    const refs = Array.from({ length: qrCodes }, () => `2@${randomBytes(32).toString('base64url')}`)
    for (const ref of refs) this.#candidates.set(ref, candidate)
    return {
      tag: 'iq', attrs: { from: SERVER, type: 'set', id: timestamp(), xmlns: 'md' },
      content: [{ tag: 'pair-device', attrs: {}, content: refs.map(ref => leaf('ref', Buffer.from(ref))) }],
    }
  }

  /** The candidate hung up, or has been paired: its codes are worth nothing any more. */
  withdraw(candidate: Candidate): void {
    for (const [ref, other] of this.#candidates) if (other === candidate) this.#candidates.delete(ref)
    this.#pairings.delete(candidate)
    this.#codes.delete(candidate)
  }

  /**
   * A new device shows a code (`companion_hello`), or proves after it was typed that it is the one that shows it (`companion_finish`).
   * @param isKnown whether somebody has this phone number.
   */
  answerCode(candidate: Candidate, query: Stanza, { pairingCode }: Faults, isKnown: (jid: string) => boolean): CodeAnswer {
    const registration = registrationIn(query)
    if (!registration) return { error: { code: '400', text: 'bad-request' } }
    if (registration.attrs.stage === 'companion_finish') {
      const request = this.#codes.get(candidate)
      if (request?.ref !== refOf(registration)) return { error: { code: '404', text: 'item-not-found' } }
      request.proof?.(readFinish(registration))
      return {}
    }
    const hello = readHello(registration)
    if (pairingCode !== null) return { error: { code: pairingCode, text: 'refused' } }
    if (!isKnown(hello.jid)) return { error: { code: '404', text: 'item-not-found' } }
    const ref = randomBytes(16).toString('base64url')
    this.#codes.set(candidate, { ref, hello })
    return {
      content: [{ tag: 'link_code_companion_reg', attrs: { stage: 'companion_hello' }, content: [leaf('link_code_pairing_ref', Buffer.from(ref))] }],
    }
  }

  /**
   * The owner types the code that a new device shows.
   * @throws NotFoundError when no device waits for this number, ConflictError when the code is wrong.
   */
  async enterCode(business: Business, code: string): Promise<LinkedDevice> {
    const [candidate, request] = [...this.#codes].find(([, { hello }]) => userOf(hello.jid) === business.phone) ?? []
    if (!candidate || !request) throw new NotFoundError(`no device waits for a code from ${business.phone}: it expired, or is for another number`)
    const { identity } = business.device
    // People may write the code as it is often shown, in two halves and in small letters.
    const half = await PhoneHalf.of(identity, code.replace(/[^a-z0-9]/gi, '').toUpperCase(), request.hello)
    const proof = new Promise<CompanionFinish | undefined>(resolve => {
      request.proof = resolve
      setTimeout(() => { resolve(undefined) }, PROOF_MS).unref()
    })
    candidate.send(codeEntered(request.ref, identity.public, half))
    const finish = await proof
    const secret = finish && half.secret(finish)
    if (!secret) throw new ConflictError('the code is wrong: type the one that is shown now')
    return this.#link(business, candidate, { noiseKey: request.hello.noiseKey, identity: finish.identity, secret })
  }

  /**
   * @param qr the text in the QR code: `https://wa.me/settings/linked_devices#ref,noise key,identity key,secret,platform`.
   * @throws NotFoundError when the code is unknown or expired.
   */
  scan(business: Business, qr: string): LinkedDevice {
    const [ref = '', noiseKey = '', identityKey = '', secret = ''] = qr.slice(qr.indexOf('#') + 1).split(',')
    const candidate = this.#candidates.get(ref)
    if (!candidate) throw new NotFoundError('this QR code is unknown or expired: scan the one that is shown now')
    return this.#link(business, candidate, {
      noiseKey: Buffer.from(noiseKey, 'base64'), identity: Buffer.from(identityKey, 'base64'), secret: Buffer.from(secret, 'base64'),
    })
  }

  /** The phone signs the new device's identity, and proves by the secret that it is the phone that saw the code. */
  #link(
    business: Business, candidate: Candidate,
    { noiseKey, identity, secret }: { readonly noiseKey: Buffer; readonly identity: Buffer; readonly secret: Buffer },
  ): LinkedDevice {
    this.withdraw(candidate)
    const device = newDevice(business, candidate, { noiseKey, identity })
    const details = proto.ADVDeviceIdentity.encode({
      rawId: randomBytes(4).readUInt32BE(), timestamp: Math.floor(Date.now() / 1000), keyIndex: device.number,
      accountType: proto.ADVEncryptionType.E2EE, deviceType: proto.ADVEncryptionType.E2EE,
    }).finish()
    this.#pairings.set(candidate, { device, details })

    const { identity: account } = business.device
    const signed = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: account.public,
      accountSignature: Curve.sign(account.private, Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, identity])),
    }).finish()
    const sealed = proto.ADVSignedDeviceIdentityHMAC.encode({
      details: signed, hmac: hmacSign(signed, secret),
    }).finish()
    candidate.send(pairSuccess(device, sealed))
    return device
  }

  /**
   * The device's answer to `pair-success`, with its own signature.
   * @returns the device, now linked; undefined when the signature does not prove that it holds its identity key.
   */
  confirm(candidate: Candidate, answer: Stanza): LinkedDevice | undefined {
    const pairing = this.#pairings.get(candidate)
    this.withdraw(candidate)
    if (!pairing) return undefined
    const { device, details } = pairing
    const { business, identity } = device
    const { deviceSignature } = proto.ADVSignedDeviceIdentity.decode(
      bytesIn(child(answer, 'pair-device-sign'), 'device-identity'))
    const signed = Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details, identity, business.device.identity.public])
    if (!deviceSignature || !Curve.verify(identity, signed, deviceSignature)) return undefined
    business.devices.set(device.number, device)
    return device
  }
}

function newDevice(
  business: Business, { registration }: Candidate, keys: { readonly noiseKey: Buffer; readonly identity: Buffer },
): LinkedDevice {
  const bytes = (value: Uint8Array | null | undefined): Buffer => Buffer.from(value ?? [])
  const uint = (value: Uint8Array | null | undefined): number => bytes(value).readUIntBE(0, bytes(value).length)
  return new LinkedDevice(business, business.nextDeviceNumber(), {
    ...keys,
    registrationId: uint(registration.eRegid),
    signedPreKey: {
      id: uint(registration.eSkeyId), value: bytes(registration.eSkeyVal), signature: bytes(registration.eSkeySig),
    },
  })
}

const pairSuccess = (device: LinkedDevice, deviceIdentity: Uint8Array): Stanza => ({
  tag: 'iq', attrs: { from: SERVER, type: 'set', id: `pair-${device.number}`, xmlns: 'md', t: timestamp() },
  content: [{
    tag: 'pair-success', attrs: {},
    content: [
      leaf('device-identity', deviceIdentity),
      { tag: 'device', attrs: { jid: device.phoneJid, lid: device.lidJid } },
      { tag: 'platform', attrs: { name: 'smba' } },
      { tag: 'biz', attrs: { name: device.business.name } },
    ],
  }],
})
