import type { proto } from '@whiskeysockets/baileys'
import type { Chat, MessageReceived, Quoted } from '@kesher/contracts'
import { named, wireId } from './bounds.js'
import { personJid } from './stanza.js'
import { typeOf, unwrapped } from './unwrap.js'

const MAX_QUOTE_CHARACTERS = 1_024
/** WhatsApp offers 90 days at most. */
const MAX_TIMER_SECONDS = 366 * 24 * 60 * 60

/** What a message answers, and the chat's timer: they stand beside the content, in its `contextInfo`. */
export function contextOf(message: proto.IMessage, chat: Chat): Pick<MessageReceived, 'quoted' | 'disappearingSeconds'> {
  const content = unwrapped(message)
  const type = typeOf(content)
  const part = type === undefined ? undefined : content[type]
  const context = typeof part === 'object' && part !== null && 'contextInfo' in part ? part.contextInfo : undefined
  if (context === null || context === undefined) return {}
  const seconds = context.expiration ?? 0
  const quoted = quotedOf(context, chat)
  return {
    ...(quoted === undefined ? {} : { quoted }),
    ...(Number.isSafeInteger(seconds) && seconds > 0 && seconds <= MAX_TIMER_SECONDS ? { disappearingSeconds: seconds } : {}),
  }
}

function quotedOf({ stanzaId, participant, quotedMessage }: proto.IContextInfo, chat: Chat): Quoted | undefined {
  if (!stanzaId) return undefined
  const author = participant ? personJid(participant) : undefined
  const byCustomer = author === undefined || author === chat.jid || author === chat.lid || author === chat.phoneJid
  return { messageId: wireId(stanzaId), fromMe: !byCustomer, ...named('text', quotedText(quotedMessage), MAX_QUOTE_CHARACTERS) }
}

function quotedText(message: proto.IMessage | null | undefined): string | undefined {
  if (!message) return undefined
  const content = unwrapped(message)
  return content.conversation ?? content.extendedTextMessage?.text ?? content.imageMessage?.caption
    ?? content.videoMessage?.caption ?? content.documentMessage?.caption ?? undefined
}
