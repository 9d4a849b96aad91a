import { proto } from '@whiskeysockets/baileys'
import type { MediaStore } from '../media/media-store.js'
import { type Content, type Extras, type FileContent, MEDIA_TYPES } from './content.js'
import { fileOf } from './samples.js'

/** What a phone knows of the chat in which it writes. */
export interface ChatView {
  readonly media: MediaStore
  /** The key under which the other side knows a message of this chat. */
  keyOf: (id: string) => proto.IMessageKey
  /** Who wrote a message of this chat. */
  authorOf: (id: string) => string
  /** A message of this chat, if the phone has it. */
  messageOf: (id: string) => proto.IMessage | undefined
}

const { ProtocolMessage } = proto.Message

/** The message that WhatsApp's app makes of a content. Files are uploaded on the way. */
export async function write(content: Content, extras: Extras, chat: ChatView): Promise<proto.IMessage> {
  const context = contextOf(extras, chat)
  const message = await plainMessage(content, context, chat)
  const whole = context ? withContext(message, context) : message
  return extras.viewOnce === true ? { viewOnceMessageV2: { message: markedViewOnce(whole) } } : whole
}

async function plainMessage(content: Content, context: proto.IContextInfo | undefined, chat: ChatView): Promise<proto.IMessage> {
  switch (content.kind) {
    case 'text':
      return context ? { extendedTextMessage: { text: content.text } } : { conversation: content.text }
    case 'image': case 'video': case 'audio': case 'voice': case 'document': case 'sticker':
      return fileMessage(content, chat.media)
    case 'reaction':
      return { reactionMessage: { key: chat.keyOf(content.target), text: content.emoji, senderTimestampMs: Date.now() } }
    case 'edit':
      return {
        protocolMessage: {
          type: ProtocolMessage.Type.MESSAGE_EDIT, key: chat.keyOf(content.target), timestampMs: Date.now(),
          editedMessage: { conversation: content.text },
        },
      }
    case 'delete':
      return { protocolMessage: { type: ProtocolMessage.Type.REVOKE, key: chat.keyOf(content.target) } }
    case 'location': {
      const { latitude: degreesLatitude, longitude: degreesLongitude, name, address, live = false } = content
      if (live) return { liveLocationMessage: { degreesLatitude, degreesLongitude, sequenceNumber: 1 } }
      return { locationMessage: { degreesLatitude, degreesLongitude, ...(name !== undefined && { name }), ...(address !== undefined && { address }) } }
    }
    case 'contacts': {
      const contacts = content.contacts.map(({ name, phone }) => ({ displayName: name, vcard: vcard(name, phone) }))
      const [only] = contacts
      return only && contacts.length === 1
        ? { contactMessage: only }
        : { contactsArrayMessage: { displayName: `${contacts.length} contacts`, contacts } }
    }
    case 'button-reply': return buttonReply(content)
    case 'list-reply':
      return {
        listResponseMessage: {
          title: content.title, listType: proto.Message.ListResponseMessage.ListType.SINGLE_SELECT,
          singleSelectReply: { selectedRowId: content.id },
          ...(content.description !== undefined && { description: content.description }),
        },
      }
    case 'poll':
      return {
        pollCreationMessageV3: { name: content.question, options: content.options.map(optionName => ({ optionName })), selectableOptionsCount: 1 },
        messageContextInfo: { messageSecret: Buffer.alloc(32, 7) },
      }
    case 'timer':
      return { protocolMessage: { type: ProtocolMessage.Type.EPHEMERAL_SETTING, ephemeralExpiration: content.seconds } }
    // What Baileys' `decode` leaves of a field that it does not know: nothing but the context beside it.
    case 'unknown': return { messageContextInfo: { messageSecret: Buffer.alloc(32, 9) } }
    case 'proto': return proto.Message.fromObject(content.message)
  }
}

async function fileMessage(content: FileContent, media: MediaStore): Promise<proto.IMessage> {
  const { kind, caption, seconds = 3, fileName = 'file.pdf', wrongHash = false } = content
  const { bytes, mimetype } = fileOf(content)
  const file = await media.upload(bytes, MEDIA_TYPES[kind])
  const common = {
    ...file, mimetype, mediaKeyTimestamp: Math.floor(Date.now() / 1000), url: `https://mmg.whatsapp.net${file.directPath}?mms3=true`,
    ...(wrongHash && { fileSha256: Buffer.alloc(32, 1) }),
  }
  const words = caption === undefined ? {} : { caption }
  switch (kind) {
    case 'image': return { imageMessage: { ...common, ...words, width: 1, height: 1 } }
    case 'video': return { videoMessage: { ...common, ...words, seconds } }
    case 'audio': return { audioMessage: { ...common, seconds, ptt: false } }
    case 'voice': return { audioMessage: { ...common, seconds, ptt: true, waveform: Buffer.alloc(64, 50) } }
    case 'sticker': return { stickerMessage: { ...common, width: 1, height: 1, isAnimated: false } }
    case 'document': {
      const document = { documentMessage: { ...common, ...words, fileName, title: fileName } }
      // A document with a caption travels in an envelope of its own.
      return caption === undefined ? document : { documentWithCaptionMessage: { message: document } }
    }
  }
}

function buttonReply({ id, text, style = 'buttons' }: Extract<Content, { kind: 'button-reply' }>): proto.IMessage {
  if (style === 'template') return { templateButtonReplyMessage: { selectedId: id, selectedDisplayText: text, selectedIndex: 0 } }
  if (style === 'interactive') {
    return {
      interactiveResponseMessage: {
        body: { text }, nativeFlowResponseMessage: { name: 'quick_reply', paramsJson: JSON.stringify({ id }), version: 1 },
      },
    }
  }
  return {
    buttonsResponseMessage: {
      selectedButtonId: id, selectedDisplayText: text, type: proto.Message.ButtonsResponseMessage.Type.DISPLAY_TEXT,
    },
  }
}

function contextOf({ quote, expiration, forwarded, ad }: Extras, chat: ChatView): proto.IContextInfo | undefined {
  if (quote === undefined && expiration === undefined && forwarded !== true && ad === undefined) return undefined
  return {
    ...(quote && {
      stanzaId: quote.id, participant: chat.authorOf(quote.id),
      quotedMessage: quote.text === undefined ? chat.messageOf(quote.id) ?? { conversation: '' } : { conversation: quote.text },
    }),
    ...(expiration !== undefined && { expiration, ephemeralSettingTimestamp: Math.floor(Date.now() / 1000) }),
    ...(forwarded === true && { isForwarded: true, forwardingScore: 1 }),
    ...(ad && {
      conversionSource: 'FB_Ads', entryPointConversionSource: 'ctwa_ad',
      externalAdReply: {
        title: ad.title, sourceUrl: ad.url, sourceType: 'ad', mediaType: proto.ContextInfo.ExternalAdReplyInfo.MediaType.IMAGE,
        ...(ad.id !== undefined && { sourceId: ad.id, ctwaClid: `ctwa-${ad.id}` }),
      },
    }),
  }
}

type Part = { contextInfo?: proto.IContextInfo | null } & Record<string, unknown>

/** Puts the context into the one part of a message that is its content; what has none (a reaction, a revocation) stays. */
function withContext(message: proto.IMessage, contextInfo: proto.IContextInfo): proto.IMessage {
  const { documentWithCaptionMessage: envelope } = message
  if (envelope?.message) return { documentWithCaptionMessage: { message: withContext(envelope.message, contextInfo) } }
  return Object.fromEntries(Object.entries(message as Record<string, unknown>).map(([name, part]) => {
    const takes = name.endsWith('Message') && name !== 'reactionMessage' && name !== 'protocolMessage'
    return [name, takes ? { ...(part as Part), contextInfo } : part]
  }))
}

function markedViewOnce(message: proto.IMessage): proto.IMessage {
  return Object.fromEntries(Object.entries(message as Record<string, unknown>).map(([name, part]) =>
    [name, name.endsWith('Message') ? { ...(part as Part), viewOnce: true } : part]))
}

const vcard = (name: string, phone: string): string => [
  'BEGIN:VCARD', 'VERSION:3.0', `N:;${name};;;`, `FN:${name}`, `TEL;type=CELL;type=VOICE;waid=${phone}:+${phone}`, 'END:VCARD',
].join('\n')
