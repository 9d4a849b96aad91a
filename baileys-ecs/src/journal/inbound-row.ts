import { proto, unpadRandomMax16 } from '@whiskeysockets/baileys'
import { journalSortKey } from '../store/keys.js'
import { contentOf, TOO_LARGE, UNDECRYPTABLE } from './content.js'
import type { MessageRow } from './row.js'
import { chatOf, laneOf, type Stanza } from './stanza.js'

/** A DynamoDB item ends at 400 KB, and the row must never be what fails the ratchet's transaction. */
const MAX_PLAINTEXT_BYTES = 300 * 1024

/**
 * The journal row of a message, or `undefined` if nobody but Baileys needs it: peer traffic (a history sync may pass
 * 400 KB), protocol messages, key distributions.
 *
 * @param message the encoded `proto.Message`, without padding
 */
export function inboundRow(stanza: Stanza, message: Uint8Array): MessageRow | undefined {
  if (stanza.attrs['category'] === 'peer') return undefined
  if (contentOf(proto.Message.decode(message), stanza.fromMe) === undefined) return undefined
  const row = envelope(stanza, stanza.attrs['id'] ?? '')
  return message.length > MAX_PLAINTEXT_BYTES ? { ...row, unsupported: TOO_LARGE.what } : { ...row, plaintext: message }
}

/** The row of a direct message that could not be read. Its id is its own: the message comes again under the real one. */
export function undecryptableRow(stanza: Stanza): MessageRow | undefined {
  if (stanza.attrs['category'] === 'peer' || chatOf(stanza.attrs, stanza.fromMe).kind !== 'direct') return undefined
  return { ...envelope(stanza, `${stanza.attrs['id'] ?? ''}.undecryptable`), unsupported: UNDECRYPTABLE.what }
}

function envelope({ attrs, fromMe, backlog, receivedAt }: Stanza, id: string): MessageRow {
  return { kind: 'message', sk: journalSortKey(receivedAt, id), lane: laneOf(chatOf(attrs, fromMe)), receivedAt, attrs, fromMe, backlog }
}

/** The message inside what `decryptMessage` returned: the same steps as Baileys takes afterwards. */
export const unpadded = (plaintext: Uint8Array): Uint8Array => unpadRandomMax16(plaintext)
