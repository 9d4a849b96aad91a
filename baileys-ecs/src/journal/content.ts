import { getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys'
import type { TextContent, UnsupportedContent } from '@kesher/contracts'

/** `MAX_TEXT_CHARACTERS` of the contract. */
const MAX_TEXT_CHARACTERS = 65_536
/** The webhook takes 256 KB of JSON; the rest of an event needs far less than 16 KB. */
const MAX_TEXT_JSON_BYTES = 240 * 1024

const ProtocolType = proto.Message.ProtocolMessage.Type

/**
 * What a decrypted message says, or `undefined` if it is WhatsApp's own business between devices: keys, history,
 * settings, deletions. Those are no message of a person and are never forwarded.
 */
export function contentOf(message: proto.IMessage): TextContent | UnsupportedContent | undefined {
  const sent = message.deviceSentMessage?.message ?? message
  const content = normalizeMessageContent(sent)
  const protocol = content?.protocolMessage
  if (protocol) {
    // An edit is a new text with a new id; the text that it replaces may be answered already.
    return protocol.type === ProtocolType.MESSAGE_EDIT && protocol.editedMessage ? contentOf(protocol.editedMessage) : undefined
  }
  const text = content?.conversation ?? content?.extendedTextMessage?.text
  if (text !== null && text !== undefined && text !== '') return textContent(text)
  const type = getContentType(content ?? undefined)
  return type === undefined ? undefined : { kind: 'unsupported', what: type }
}

function textContent(text: string): TextContent | UnsupportedContent {
  const large = text.length > MAX_TEXT_CHARACTERS || Buffer.byteLength(JSON.stringify(text)) > MAX_TEXT_JSON_BYTES
  return large ? TOO_LARGE : { kind: 'text', text }
}

export const TOO_LARGE: UnsupportedContent = { kind: 'unsupported', what: 'tooLarge' }
