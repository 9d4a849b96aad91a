import { getContentType, normalizeMessageContent, type proto } from '@whiskeysockets/baileys'
import type { FileReference } from '../media/sealed-file.js'
import type { FileKind } from './content.js'

/** A file in a message, before it is downloaded. */
export interface SeenFile {
  readonly kind: FileKind
  readonly mimetype: string
  readonly fileName?: string
  readonly seconds?: number
  readonly file: FileReference
}

/** What a phone makes of a message, in JSON. `type` names WhatsApp's own kind where it has no name here. */
export type SeenContent = { readonly quoted?: string; readonly expiration?: number } & (
  | { readonly kind: 'text'; readonly text: string }
  | {
    readonly kind: FileKind; readonly mimetype: string; readonly fileName?: string; readonly seconds?: number; readonly caption?: string
    /** Bytes; null with `problem` when the file could not be downloaded or is not what the message says. */
    readonly size: number | null; readonly problem?: string
  }
  | { readonly kind: 'reaction'; readonly target: string; readonly emoji: string }
  | { readonly kind: 'edit'; readonly target: string; readonly text: string }
  | { readonly kind: 'delete'; readonly target: string }
  | { readonly kind: 'location'; readonly latitude: number; readonly longitude: number; readonly name?: string; readonly address?: string }
  | { readonly kind: 'contacts'; readonly contacts: readonly { readonly name: string; readonly vcard: string }[] }
  | { readonly kind: 'other'; readonly type: string | null }
)

/** The words of a message or its caption; null for what has none (a sticker, a reaction, a key). */
export function textOf(message: proto.IMessage | null | undefined): string | null {
  const content = normalizeMessageContent(message)
  return content?.conversation ?? content?.extendedTextMessage?.text ?? content?.imageMessage?.caption
    ?? content?.videoMessage?.caption ?? content?.documentMessage?.caption ?? null
}

export function seenFile(message: proto.IMessage): SeenFile | undefined {
  const content = normalizeMessageContent(message)
  const found = ([
    ['image', content?.imageMessage], ['video', content?.videoMessage], ['document', content?.documentMessage],
    ['sticker', content?.stickerMessage], [content?.audioMessage?.ptt === true ? 'voice' : 'audio', content?.audioMessage],
  ] as const).find(([, part]) => part)
  if (!found?.[1]) return undefined
  const [kind, part] = found
  const { fileName, seconds } = part as { fileName?: string | null; seconds?: number | null }
  return {
    kind, mimetype: part.mimetype ?? '', file: referenceOf(part),
    ...(fileName ? { fileName } : {}), ...(seconds ? { seconds } : {}),
  }
}

/** All but files, which have to be downloaded first. */
export function seen(message: proto.IMessage): SeenContent {
  const content = normalizeMessageContent(message) ?? {}
  const { reactionMessage: reaction, protocolMessage: protocol, locationMessage: location, contactMessage: contact } = content
  const text = textOf(content)
  if (protocol?.editedMessage) return { kind: 'edit', target: protocol.key?.id ?? '', text: textOf(protocol.editedMessage) ?? '' }
  if (protocol?.key) return { kind: 'delete', target: protocol.key.id ?? '' }
  if (reaction) return { kind: 'reaction', target: reaction.key?.id ?? '', emoji: reaction.text ?? '' }
  if (location) {
    const { degreesLatitude, degreesLongitude, name, address } = location
    return {
      kind: 'location', latitude: degreesLatitude ?? 0, longitude: degreesLongitude ?? 0,
      ...(name ? { name } : {}), ...(address ? { address } : {}), ...contextOf(content),
    }
  }
  const contacts = contact ? [contact] : content.contactsArrayMessage?.contacts
  if (contacts) {
    return { kind: 'contacts', contacts: contacts.map(({ displayName, vcard }) => ({ name: displayName ?? '', vcard: vcard ?? '' })), ...contextOf(content) }
  }
  if (text !== null) return { kind: 'text', text, ...contextOf(content) }
  return { kind: 'other', type: getContentType(content) ?? null, ...contextOf(content) }
}

/** Which message this one quotes, and when it disappears. */
export function contextOf(message: proto.IMessage): Pick<SeenContent, 'quoted' | 'expiration'> {
  const content = normalizeMessageContent(message) ?? {}
  const type = getContentType(content)
  const part = type === undefined ? undefined : content[type] as { contextInfo?: proto.IContextInfo | null } | string | null | undefined
  const context = part === null || typeof part === 'string' ? undefined : part?.contextInfo
  return {
    ...(context?.stanzaId ? { quoted: context.stanzaId } : {}),
    ...(context?.expiration ? { expiration: context.expiration } : {}),
  }
}

type FilePart = Pick<proto.Message.IImageMessage, 'directPath' | 'mediaKey' | 'fileSha256' | 'fileEncSha256' | 'fileLength'>

const referenceOf = ({ directPath, mediaKey, fileSha256, fileEncSha256, fileLength }: FilePart): FileReference => ({
  directPath: directPath ?? '', mediaKey: mediaKey ?? Buffer.alloc(0), fileSha256: fileSha256 ?? Buffer.alloc(0),
  fileEncSha256: fileEncSha256 ?? Buffer.alloc(0), fileLength: Number(fileLength ?? 0),
})
