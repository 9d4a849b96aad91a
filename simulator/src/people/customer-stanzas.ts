import { type Stanza, bytesIn, timestamp } from '../stanza.js'
import type { Masked } from './customer-settings.js'
import { type KeyBundle, retryBundleStanzas } from './key-bundle.js'

/** What a customer's phone says beside its messages. `from` is the jid of the phone, or of another device of the customer's. */

export const receiptStanza = (from: string, id: string, type?: 'read'): Stanza =>
  ({ tag: 'receipt', attrs: { from, id, t: timestamp(), ...(type && { type }) } })

/** Asks for a message that could not be decrypted, with keys for a new session. */
export const retryStanza = (from: string, id: string, attempt: number, bundle: KeyBundle): Stanza => ({
  tag: 'receipt', attrs: { from, id, t: timestamp(), type: 'retry' },
  content: [{ tag: 'retry', attrs: { count: String(attempt), id, t: timestamp(), v: '1' } }, ...retryBundleStanzas(bundle)],
})

/** Rings. */
export const callStanza = (from: string, name: string, callId: string, stanzaId: string): Stanza => ({
  tag: 'call', attrs: { from, id: stanzaId, t: timestamp(), notify: name },
  content: [{
    tag: 'offer', attrs: { 'call-id': callId, 'call-creator': from },
    content: [{ tag: 'audio', attrs: { enc: 'opus', rate: '16000' } }],
  }],
})

/** What linked devices get in place of an `<enc>` when only the phone is to have a message. */
export const unavailable = (why: Masked): Stanza =>
  ({ tag: 'unavailable', attrs: why === 'view-once' ? { type: 'view_once_unavailable_fanout' } : {} })

/** The last byte belongs to the message's authentication code. */
export function corrupted(enc: Stanza): Stanza {
  const bytes = bytesIn(enc)
  if (bytes.length === 0) return enc
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0xff, bytes.length - 1)
  return { ...enc, content: bytes }
}
