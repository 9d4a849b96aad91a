import type { MediaType, proto } from '@whiskeysockets/baileys'
import type { MediaContent } from '@kesher/contracts'
import { cut, named } from './bounds.js'
import { unwrapped } from './unwrap.js'

/** A file as a message names it: where its ciphertext is, the key to it, and what it must turn out to be. Strangers' words. */
export interface MediaFile {
  readonly mediaKey: Uint8Array
  /** Under which name WhatsApp derives the file's keys. */
  readonly type: MediaType
  readonly directPath?: string
  readonly url?: string
  readonly fileSha256?: Uint8Array
  readonly fileEncSha256?: Uint8Array
  readonly bytes?: number
}

type MediaPart = proto.Message.IImageMessage & proto.Message.IVideoMessage & proto.Message.IAudioMessage & proto.Message.IDocumentMessage & proto.Message.IStickerMessage

const KINDS = {
  imageMessage: 'image', videoMessage: 'video', ptvMessage: 'video', audioMessage: 'audio', documentMessage: 'document', stickerMessage: 'sticker',
} as const satisfies Record<string, MediaContent['kind']>

const MIME_TYPE = /^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}(?:; ?[a-z0-9-]+=[a-z0-9.+-]+)?$/i
const ANY_FILE = 'application/octet-stream'
const CAPTION_CHARACTERS = 65_536

/** The picture, film, sound, file or sticker of a message, as its sender describes it. */
export function mediaContent(content: proto.IMessage): MediaContent | undefined {
  const found = partOf(content)
  if (found === undefined) return undefined
  const { kind, part } = found
  const bytes = natural(part.fileLength)
  const seconds = natural(part.seconds)
  return {
    kind,
    mediaType: mimeType(part.mimetype),
    ...(bytes === undefined ? {} : { bytes }),
    ...named('caption', part.caption, CAPTION_CHARACTERS),
    ...named('fileName', fileName(part.fileName), 256),
    ...(seconds === undefined || kind === 'image' ? {} : { seconds }),
    ...(part.ptt === true ? { voice: true } : {}),
  }
}

/** How to get the bytes; `undefined` if the message has no file, or no key to it. */
export function fileOf(message: proto.IMessage): MediaFile | undefined {
  const found = partOf(unwrapped(message))
  if (found === undefined || !found.part.mediaKey?.length) return undefined
  const { kind, part } = found
  const bytes = natural(part.fileLength)
  return {
    mediaKey: found.part.mediaKey,
    type: kind,
    ...(part.directPath ? { directPath: part.directPath } : {}),
    ...(part.url ? { url: part.url } : {}),
    ...(part.fileSha256?.length ? { fileSha256: part.fileSha256 } : {}),
    ...(part.fileEncSha256?.length ? { fileEncSha256: part.fileEncSha256 } : {}),
    ...(bytes === undefined ? {} : { bytes }),
  }
}

function partOf(content: proto.IMessage): { readonly kind: MediaContent['kind']; readonly part: MediaPart } | undefined {
  for (const [name, kind] of Object.entries(KINDS) as [keyof typeof KINDS, MediaContent['kind']][]) {
    const part = content[name]
    if (part) return { kind, part: part }
  }
  return undefined
}

function mimeType(claimed: string | null | undefined): string {
  const cleaned = claimed?.trim() ?? ''
  return cleaned.length <= 128 && MIME_TYPE.test(cleaned) ? cleaned : ANY_FILE
}

/** A name to show. Whatever could make it a path, or hide its ending from a reader, goes. */
function fileName(claimed: string | null | undefined): string | undefined {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return claimed === null || claimed === undefined ? undefined : cut(claimed, 1_024).replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').replace(/[/\\]/g, '_')
}

/** A count as protobuf gives it: a number, or an object for 64 bits. */
function natural(value: unknown): number | undefined {
  const number = value === null || value === undefined ? Number.NaN : Number(value)
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
