import type { MediaType } from '@whiskeysockets/baileys'

export const FILE_KINDS = ['image', 'video', 'audio', 'voice', 'document', 'sticker'] as const
export type FileKind = (typeof FILE_KINDS)[number]

/** A file, as a person picks it. What is left out is made up: a small file that begins like one of its kind. */
export interface FileContent {
  readonly kind: FileKind
  /** The plain file, in base64. */
  readonly bytes?: string
  /** Or so many bytes, the same ones each time. */
  readonly size?: number
  readonly mimetype?: string
  readonly caption?: string
  readonly fileName?: string
  readonly seconds?: number
  /** The message claims another hash than the file's. */
  readonly wrongHash?: boolean
}

/** What somebody can send in a chat, by `kind`. `target` is the id of a message of this chat. */
export type Content =
  | { readonly kind: 'text'; readonly text: string }
  | FileContent
  /** An empty emoji takes the reaction back. */
  | { readonly kind: 'reaction'; readonly target: string; readonly emoji: string }
  | { readonly kind: 'edit'; readonly target: string; readonly text: string }
  | { readonly kind: 'delete'; readonly target: string }
  | { readonly kind: 'location'; readonly latitude: number; readonly longitude: number; readonly name?: string; readonly address?: string; readonly live?: boolean }
  | { readonly kind: 'contacts'; readonly contacts: readonly { readonly name: string; readonly phone: string }[] }
  /** A tap on a button, as the three generations of buttons tell it. */
  | { readonly kind: 'button-reply'; readonly id: string; readonly text: string; readonly style?: 'buttons' | 'template' | 'interactive' }
  | { readonly kind: 'list-reply'; readonly id: string; readonly title: string; readonly description?: string }
  | { readonly kind: 'poll'; readonly question: string; readonly options: readonly string[] }
  /** Messages of this chat disappear after so many seconds; 0: they stay. */
  | { readonly kind: 'timer'; readonly seconds: number }
  /** A kind that no present client knows. */
  | { readonly kind: 'unknown' }
  /** Anything else: WhatsApp's `Message` as JSON, in the names of `proto.Message`, with base64 for bytes. */
  | { readonly kind: 'proto'; readonly message: Readonly<Record<string, unknown>> }

/** What can be added to any content. */
export interface Extras {
  /** The message that this answers, and its text where the sender's phone does not know it. */
  readonly quote?: { readonly id: string; readonly text?: string }
  /** Seconds after which the message disappears, as the chat's timer says. */
  readonly expiration?: number
  readonly viewOnce?: boolean
  readonly forwarded?: boolean
  /** The customer came by an advertisement ("click to WhatsApp"). */
  readonly ad?: { readonly title: string; readonly url: string; readonly id?: string }
}

/** Under which name WhatsApp derives a file's keys. */
export const MEDIA_TYPES: Readonly<Record<FileKind, MediaType>> = {
  image: 'image', video: 'video', audio: 'audio', voice: 'audio', document: 'document', sticker: 'sticker',
}
