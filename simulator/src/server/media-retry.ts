import { aesDecryptGCM, aesEncryptGCM, hkdf, proto } from '@whiskeysockets/baileys'
import { randomBytes } from 'node:crypto'
import { type Stanza, bytesIn, child, leaf, timestamp } from '../stanza.js'

/**
 * How a linked device asks its phone for a file that is no longer on the media servers (a receipt of type `server-error`), and what the
 * phone answers (a notification of type `mediaretry`). Both are encrypted under a key that is derived from the file's own.
 */

const IV = 12

const keyOf = (mediaKey: Uint8Array): Buffer => Buffer.from(hkdf(Buffer.from(mediaKey), 32, { info: 'WhatsApp Media Retry Notification' }))

/** Whether the request was made by somebody who has the file's key, for this very message. */
export function readUploadRequest(receipt: Stanza, mediaKey: Uint8Array): boolean {
  const { id = '' } = receipt.attrs
  const encrypted = child(receipt, 'encrypt')
  try {
    const plain = aesDecryptGCM(bytesIn(encrypted, 'enc_p'), keyOf(mediaKey), bytesIn(encrypted, 'enc_iv'), Buffer.from(id))
    return proto.ServerErrorReceipt.decode(plain).stanzaId === id
  } catch {
    return false // sealed under another key
  }
}

type Outcome =
  | { readonly error: proto.MediaRetryNotification.ResultType }
  | { readonly notice: proto.IMediaRetryNotification; readonly key: Uint8Array }

/** The phone's answer; an error that the server tells is in clear, what the phone itself says is encrypted. */
export function uploadAnswer(from: string, request: Stanza, outcome: Outcome): Stanza {
  const { id = '' } = request.attrs
  const { jid = '', from_me: fromMe = 'false' } = child(request, 'rmr')?.attrs ?? {}
  const content = 'error' in outcome ? { tag: 'error', attrs: { code: String(outcome.error) } } : sealed(outcome.notice, outcome.key, id)
  return {
    tag: 'notification', attrs: { id, type: 'mediaretry', from, t: timestamp() },
    content: [{ tag: 'rmr', attrs: { jid, from_me: fromMe } }, content],
  }
}

function sealed(notice: proto.IMediaRetryNotification, mediaKey: Uint8Array, id: string): Stanza {
  const iv = randomBytes(IV)
  const ciphertext = aesEncryptGCM(proto.MediaRetryNotification.encode(notice).finish(), keyOf(mediaKey), iv, Buffer.from(id))
  return { tag: 'encrypt', attrs: {}, content: [leaf('enc_p', ciphertext), leaf('enc_iv', iv)] }
}
