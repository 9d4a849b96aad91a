import { normalizeMessageContent, type proto } from '@whiskeysockets/baileys'

/** Envelopes that Baileys' `normalizeMessageContent` leaves closed; each holds an ordinary message. */
const ENVELOPES = [
  'botInvokeMessage', 'lottieStickerMessage', 'groupMentionedMessage', 'questionMessage', 'questionReplyMessage', 'botForwardedMessage', 'botTaskMessage',
] as const
/** Envelopes in envelopes in the field: a bot's answer in a disappearing chat is two. */
const MAX_DEPTH = 5

/** Fields that say nothing to a person: keys of a group, and what surrounds a message. */
const SURROUNDINGS = new Set(['messageContextInfo', 'senderKeyDistributionMessage', 'fastRatchetKeySenderKeyDistributionMessage', 'deviceSentMessage'])

/** The message in its envelopes: what was sent from another device of ours, disappearing, view-once, edited, captioned. */
export function unwrapped(message: proto.IMessage): proto.IMessage {
  let content = normalizeMessageContent(message.deviceSentMessage?.message ?? message) ?? {}
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const inner = ENVELOPES.map(name => content[name]?.message).find(found => found !== null && found !== undefined)
    if (inner === undefined) break
    content = normalizeMessageContent(inner) ?? {}
  }
  return content
}

/** WhatsApp's name of what a message is, for example `imageMessage`; `undefined` if there is nothing in it but surroundings. */
export function typeOf(content: proto.IMessage): keyof proto.IMessage | undefined {
  return (Object.keys(content) as (keyof proto.IMessage)[])
    .find(name => !SURROUNDINGS.has(name) && content[name] !== null && content[name] !== undefined)
}

/** Whether a message brings nothing but the keys of a group. */
export const isKeysAlone = (content: proto.IMessage): boolean =>
  content.senderKeyDistributionMessage !== null && content.senderKeyDistributionMessage !== undefined && typeOf(content) === undefined
