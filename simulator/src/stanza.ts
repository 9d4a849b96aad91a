import { randomBytes } from 'node:crypto'
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from '@whiskeysockets/baileys'

/** WhatsApp speaks XMPP in a binary form: a stanza is a tag, attributes, and children or bytes. */
export type Stanza = BinaryNode

/** WhatsApp counts in whole seconds, as a decimal string. */
export const timestamp = (): string => String(Math.floor(Date.now() / 1000))

/** Message ids begin with `3A` when an iPhone chose them. */
export const newMessageId = (): string => `3A${randomBytes(9).toString('hex').toUpperCase()}`

export const child = (stanza: Stanza | undefined, tag: string): Stanza | undefined => getBinaryNodeChild(stanza, tag)
export const children = (stanza: Stanza | undefined, tag: string): Stanza[] => getBinaryNodeChildren(stanza, tag)
export const firstChild = (stanza: Stanza): Stanza | undefined =>
  Array.isArray(stanza.content) ? stanza.content[0] : undefined

export const leaf = (tag: string, content: Uint8Array, attrs: Stanza['attrs'] = {}): Stanza => ({ tag, attrs, content })

/** The bytes in a stanza, or in its child `tag`; empty when there are none. */
export function bytesIn(stanza: Stanza | undefined, tag?: string): Buffer {
  const content = (tag === undefined ? stanza : child(stanza, tag))?.content
  if (content === undefined || Array.isArray(content)) return Buffer.alloc(0)
  return typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content)
}

/** A big-endian number of up to six bytes. */
export function uintIn(stanza: Stanza | undefined, tag?: string): number {
  const bytes = bytesIn(stanza, tag)
  return bytes.length === 0 ? 0 : bytes.readUIntBE(0, bytes.length)
}

/** What a stanza is about: its tag, and for a query `iq/<namespace>/<type>/<first child>`, for example `iq/w:p/get/ping`. */
export function kindOf(stanza: Stanza): string {
  if (stanza.tag !== 'iq') return stanza.tag
  const { xmlns = '', type = '' } = stanza.attrs
  return `iq/${xmlns}/${type}/${firstChild(stanza)?.tag ?? ''}`
}

/** A stanza for people to read and for JSON: bytes (ciphertext, keys) are replaced by their length. */
export interface ReadableStanza {
  readonly tag: string
  readonly attrs: Readonly<Record<string, string>>
  readonly content?: readonly ReadableStanza[] | string
}

export function readable({ tag, attrs, content }: Stanza): ReadableStanza {
  if (content === undefined) return { tag, attrs: { ...attrs } }
  return {
    tag, attrs: { ...attrs },
    content: Array.isArray(content) ? content.map(readable) : `<${content.length} bytes>`,
  }
}
