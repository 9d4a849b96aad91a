import { generateWAMessage, isLidUser, jidNormalizedUser, proto, type AnyMessageContent, type WAMessage } from '@whiskeysockets/baileys'
import type { MediaContent, Quoted, SendCommand } from '@kesher/contracts'
import { baileysLogger, type Logger } from '../observability/logger.js'

type Outgoing = SendCommand['content']
/** Brings an encrypted file to WhatsApp's media servers. */
export type Upload = Parameters<typeof generateWAMessage>[2]['upload']
/** Within a send's deadline, so that another try is the send function's. */
const UPLOAD_MS = 20_000
export type ReadFile = (content: MediaContent) => Promise<Buffer>

/** Our own name in a chat: WhatsApp wants LIDs with LIDs and phones with phones. */
export function ownNameIn(chatJid: string, me: { readonly id: string; readonly lid?: string | undefined }): string {
  return jidNormalizedUser(isLidUser(chatJid) ? me.lid ?? me.id : me.id)
}

/**
 * WhatsApp's message for a command: what an id carries for ever, since it may hold keys and stamps made here.
 *
 * @param ownName of the sender in this chat, for what the business itself wrote and is quoted
 */
export async function composed(
  command: SendCommand, ownName: string, { upload, file, logger }: { readonly upload: Upload; readonly file: ReadFile; readonly logger: Logger },
): Promise<proto.IMessage> {
  const { messageId, chatJid, content, quoted, disappearingSeconds } = command
  const isReaction = content.kind === 'reaction' // it is no message of its own: it quotes nothing and does not expire
  const { message } = await generateWAMessage(chatJid, await baileysContent(content, chatJid, file), {
    userJid: ownName, messageId, upload, mediaUploadTimeoutMs: UPLOAD_MS, logger: baileysLogger(logger),
    ...(quoted == null || isReaction ? {} : { quoted: quotedMessage(quoted, chatJid) }),
    ...(disappearingSeconds == null || isReaction ? {} : { ephemeralExpiration: disappearingSeconds }),
  })
  if (message == null) throw new Error(`Baileys made no message of a ${content.kind}`)
  return message
}

async function baileysContent(content: Outgoing, chatJid: string, file: ReadFile): Promise<AnyMessageContent> {
  switch (content.kind) {
    case 'text': return { text: content.text, linkPreview: null } // a preview would fetch whatever address a text names
    case 'location': return {
      location: {
        degreesLatitude: content.latitude, degreesLongitude: content.longitude,
        ...(content.name == null ? {} : { name: content.name }), ...(content.address == null ? {} : { address: content.address }),
      },
    }
    case 'contacts': return {
      contacts: { displayName: content.contacts[0].name, contacts: content.contacts.map(({ name, vcard }) => ({ displayName: name, vcard })) },
    }
    case 'reaction': return { react: { text: content.emoji, key: { remoteJid: chatJid, fromMe: content.targetFromMe, id: content.targetId } } }
    default: return mediaContent(content, await file(content))
  }
}

function mediaContent({ kind, mediaType: mimetype, caption: words, fileName, seconds, voice }: MediaContent, file: Buffer): AnyMessageContent {
  const caption = words == null ? {} : { caption: words }
  switch (kind) {
    case 'image': return { image: file, mimetype, ...caption }
    case 'video': return { video: file, mimetype, ...caption }
    case 'audio': return { audio: file, mimetype, ptt: voice === true, ...(seconds == null ? {} : { seconds }) }
    case 'document': return { document: file, mimetype, fileName: fileName ?? 'file', ...caption }
    case 'sticker': return { sticker: file, mimetype }
  }
}

const quotedMessage = ({ messageId, fromMe, text }: Quoted, chatJid: string): WAMessage =>
  ({ key: { remoteJid: chatJid, fromMe, id: messageId }, message: { conversation: text ?? '' } })

/** How many characters a person would type for it. */
export function typedCharacters(content: Outgoing): number {
  if (content.kind === 'text') return content.text.length
  return 'caption' in content ? content.caption?.length ?? 0 : 0
}
