import { normalizeMessageContent, type proto } from '@whiskeysockets/baileys'
import type { Stanza } from '../stanza.js'

/** `edit` in a message's stanza: what it does to an earlier one. */
const EDITED = '1'
const REVOKED = '7'

/** What the server is told of a message that it cannot read. */
export function stanzaAttrs(message: proto.IMessage): Stanza['attrs'] {
  const content = normalizeMessageContent(message) ?? {}
  if (content.reactionMessage) return { type: 'reaction' }
  if (content.protocolMessage?.editedMessage) return { type: 'text', edit: EDITED }
  if (content.protocolMessage?.key) return { type: 'text', edit: REVOKED }
  if (content.pollCreationMessageV3) return { type: 'poll' }
  const isText = content.conversation != null || content.extendedTextMessage != null || content.protocolMessage != null
  return { type: isText ? 'text' : 'media' }
}
