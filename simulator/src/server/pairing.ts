import { randomBytes } from 'node:crypto'
import {
  Curve, WA_ADV_ACCOUNT_SIG_PREFIX, WA_ADV_DEVICE_SIG_PREFIX, hmacSign, proto,
} from '@whiskeysockets/baileys'
import { NotFoundError } from '../errors.js'
import { SERVER } from '../jids.js'
import type { Business } from '../people/business.js'
import { LinkedDevice } from '../people/linked-device.js'
import { type Stanza, bytesIn, child, leaf, timestamp } from '../stanza.js'

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

/** QR codes shown at a time; Baileys goes on to the next one every 20 seconds or so. */
const REFS = 6

/**
 * Pairing by QR code. The server gives the new device references; it shows one in a QR code together with its public
 * keys and a secret. The phone that scans it signs the device's identity key (so everybody can see whose device it is)
 * and proves by the secret that it saw the code; the device signs back, and is asked to reconnect and log in.
 */
export class PairingDesk {
  readonly #candidates = new Map<string, Candidate>()
  readonly #pairings = new Map<Candidate, Pairing>()

  /** The stanza that offers references to a new device. */
  offer(candidate: Candidate): Stanza {
    const refs = Array.from({ length: REFS }, () => `2@${randomBytes(32).toString('base64url')}`)
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
  }

  /**
   * @param qr the text in the QR code: `https://wa.me/settings/linked_devices#ref,noise key,identity key,secret,platform`.
   * @throws NotFoundError when the code is unknown or expired.
   */
  scan(business: Business, qr: string): LinkedDevice {
    const [ref = '', noiseKey = '', identityKey = '', secret = ''] = qr.slice(qr.indexOf('#') + 1).split(',')
    const candidate = this.#candidates.get(ref)
    if (!candidate) throw new NotFoundError('this QR code is unknown or expired: scan the one that is shown now')
    this.withdraw(candidate)

    const identity = Buffer.from(identityKey, 'base64')
    const device = newDevice(business, candidate, { noiseKey: Buffer.from(noiseKey, 'base64'), identity })
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
      details: signed, hmac: hmacSign(signed, Buffer.from(secret, 'base64')),
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
