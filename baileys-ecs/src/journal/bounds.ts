/** What the contract takes of what strangers wrote: an event that the webhook refuses would be parked for ever. */
import { createHash } from 'node:crypto'

/** `MAX_TEXT_CHARACTERS` of the contract. */
const MAX_TEXT_CHARACTERS = 65_536
/** The webhook takes 256 KB of JSON; the rest of an event needs far less than 16 KB. */
const MAX_CONTENT_JSON_BYTES = 240 * 1024

const MESSAGE_ID = /^[A-Za-z0-9._:-]{1,128}$/

/** A message id as the contract takes it. WhatsApp's apps choose nothing else; what a stranger's program chose is hashed. */
export function wireId(id: string): string {
  return MESSAGE_ID.test(id) ? id : `hashed-${createHash('sha256').update(id).digest('hex')}`
}

/** The beginning of a text; a cut emoji is no valid JSON to the webhook. */
export function cut(text: string, characters: number): string {
  return text.slice(0, characters).toWellFormed()
}

/** `{ [name]: text }` cut to its limit, or nothing for an empty one. */
export function named<K extends string>(name: K, text: string | null | undefined, characters: number): Partial<Record<K, string>> {
  return text === null || text === undefined || text === '' ? {} : { [name]: cut(text, characters) } as Partial<Record<K, string>>
}

export const isLongText = (text: string): boolean => text.length > MAX_TEXT_CHARACTERS
export const isTooLarge = (content: object): boolean => Buffer.byteLength(JSON.stringify(content)) > MAX_CONTENT_JSON_BYTES
