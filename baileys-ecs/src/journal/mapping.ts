import { proto } from '@whiskeysockets/baileys'
import type { Event, MediaContent, MessageReceived } from '@kesher/contracts'
import { named, wireId } from './bounds.js'
import { contentOf, UNDECRYPTABLE, type Content } from './content.js'
import { contextOf } from './context.js'
import { fileOf, type MediaFile } from './media-file.js'
import type { JournalRow, MessageRow } from './row.js'
import { chatOf } from './stanza.js'

const MAX_NAME_CHARACTERS = 256

/** The contract's event of a journal row. Pure, so that a row from before a restart gives the very same event. */
export function eventOf(tenantId: string, row: JournalRow): Event {
  return row.kind === 'event' ? row.event : messageReceived(tenantId, row)
}

function messageReceived(tenantId: string, row: MessageRow): MessageReceived {
  const { attrs, fromMe, receivedAt, backlog, plaintext } = row
  const chat = chatOf(attrs, fromMe)
  const message = plaintext === undefined ? undefined : proto.Message.decode(plaintext)
  const id = wireId(attrs['id'] ?? '')
  return {
    version: 1,
    type: 'message.received',
    tenantId,
    correlationId: id,
    chat,
    messageId: row.unsupported === UNDECRYPTABLE.what ? wireId(`${id}.${UNDECRYPTABLE.what}`) : id,
    fromMe,
    ...named('senderName', attrs['notify'], MAX_NAME_CHARACTERS),
    sentAt: sentAt(attrs['t'], receivedAt),
    receivedAt,
    backlog,
    content: withObject(row, message === undefined ? undefined : contentOf(message, fromMe)),
    ...(message === undefined ? {} : contextOf(message, chat)),
  }
}

function withObject({ unsupported, media }: MessageRow, content: Content | undefined): Content {
  if (content === undefined) return { kind: 'unsupported', what: unsupported ?? 'empty' }
  return isMedia(content) ? { ...content, ...media ?? { missing: NOT_FETCHED } } : content
}

export const isMedia = (content: Content): content is MediaContent => 'mediaType' in content

/** The file of a journalled message, and its type; `undefined` if it has none that can be fetched. */
export function fileIn(plaintext: Uint8Array, fromMe: boolean): { readonly file: MediaFile; readonly mediaType: string } | undefined {
  const message = proto.Message.decode(plaintext)
  const content = contentOf(message, fromMe)
  const file = fileOf(message)
  return content === undefined || !isMedia(content) || file === undefined ? undefined : { file, mediaType: content.mediaType }
}

const NOT_FETCHED = 'the file was not fetched'

function sentAt(stamp: string | undefined, fallback: number): number {
  const seconds = Number(stamp)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : fallback
}
