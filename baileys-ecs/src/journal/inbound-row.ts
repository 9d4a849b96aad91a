import { proto, unpadRandomMax16 } from '@whiskeysockets/baileys'
import { journalSortKey } from '../store/keys.js'
import { contentOf, TOO_LARGE } from './content.js'
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
  const content = contentOf(proto.Message.decode(message))
  if (content === undefined) return undefined
  const { attrs, fromMe, backlog, receivedAt } = stanza
  const row = {
    kind: 'message', sk: journalSortKey(receivedAt, attrs['id'] ?? ''), lane: laneOf(chatOf(attrs, fromMe)),
    receivedAt, attrs, fromMe, backlog,
  } as const
  return message.length > MAX_PLAINTEXT_BYTES ? { ...row, unsupported: TOO_LARGE.what } : { ...row, plaintext: message }
}

/** The message inside what `decryptMessage` returned: the same steps as Baileys takes afterwards. */
export const unpadded = (plaintext: Uint8Array): Uint8Array => unpadRandomMax16(plaintext)
