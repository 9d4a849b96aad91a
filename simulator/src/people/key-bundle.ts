import { KEY_BUNDLE_TYPE, encodeBigEndian } from '@whiskeysockets/baileys'
import { type Stanza, bytesIn, child, leaf, uintIn } from '../stanza.js'

export interface PublicKey {
  readonly id: number
  readonly value: Uint8Array
}

export interface SignedPublicKey extends PublicKey {
  readonly signature: Uint8Array
}

/** What one needs of somebody's device to write to it for the first time (X3DH). */
export interface KeyBundle {
  readonly registrationId: number
  readonly identity: Uint8Array
  readonly signedPreKey: SignedPublicKey
  /** One-time key; a server that ran out of them hands out bundles without. */
  readonly preKey: PublicKey | undefined
}

export const readKey = (stanza: Stanza | undefined): PublicKey => ({ id: uintIn(stanza, 'id'), value: bytesIn(stanza, 'value') })
export const readSignedKey = (stanza: Stanza | undefined): SignedPublicKey => ({
  ...readKey(stanza), signature: bytesIn(stanza, 'signature'),
})

/** The answer to a query for somebody's keys. */
export const bundleStanzas = (bundle: KeyBundle): Stanza[] => [registrationStanza(bundle), ...keyStanzas(bundle)]

/** In a retry receipt the registration stands beside the keys. */
export const retryBundleStanzas = (bundle: KeyBundle): Stanza[] => [
  registrationStanza(bundle), { tag: 'keys', attrs: {}, content: keyStanzas(bundle) },
]

/** The keys in a retry receipt, with which its sender asks to be written to afresh; undefined when it brings none. */
export function readRetryBundle(receipt: Stanza): KeyBundle | undefined {
  const keys = child(receipt, 'keys')
  if (!keys) return undefined
  const preKey = child(keys, 'key')
  return {
    registrationId: uintIn(receipt, 'registration'),
    identity: bytesIn(keys, 'identity'),
    signedPreKey: readSignedKey(child(keys, 'skey')),
    preKey: preKey && readKey(preKey),
  }
}

const registrationStanza = ({ registrationId }: KeyBundle): Stanza => leaf('registration', encodeBigEndian(registrationId))

const keyStanzas = ({ identity, signedPreKey, preKey }: KeyBundle): Stanza[] => [
  leaf('type', KEY_BUNDLE_TYPE),
  leaf('identity', identity),
  { tag: 'skey', attrs: {}, content: [...keyContent(signedPreKey), leaf('signature', signedPreKey.signature)] },
  ...(preKey ? [{ tag: 'key', attrs: {}, content: keyContent(preKey) }] : []),
]

const keyContent = ({ id, value }: PublicKey): Stanza[] => [leaf('id', encodeBigEndian(id, 3)), leaf('value', value)]
