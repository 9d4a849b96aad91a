import { ENDINGS, type Ending } from '../server/endings.js'
import { NOTICES, type Notice } from '../server/notifications.js'
import type { Content } from '../content/content.js'
import { type Faults, MEDIA_DOWNLOAD_FAULTS, MEDIA_UPLOAD_FAULTS } from '../faults.js'
import type { Addressing } from '../jids.js'
import type { OwnerOptions } from '../people/business.js'
import { type BusinessSettings, PASSES_ON, UPLOADS_AGAIN } from '../people/business-settings.js'
import { type CustomerSettings, MASKED, type Masked, type SendOptions } from '../people/customer-settings.js'
import { content, extras } from './content-schemas.js'

/** The bodies and queries of the control API: a type for the compiler beside a JSON Schema for what comes in. */

const object = (properties: Record<string, object>, required: string[] = []): object =>
  ({ type: 'object', properties, required, additionalProperties: false })

const digits = { type: 'string', pattern: '^[0-9]{5,20}$' }
const text = { type: 'string', minLength: 1, maxLength: 65_536 }
const id = { type: 'string', minLength: 1, maxLength: 128 }
const flag = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const addressing = { enum: ['lid', 'phone'] }
const masked = { enum: MASKED }
/** Numbers in a query string are text. */
const numeral = { type: 'string', pattern: '^[0-9]{1,9}$' }
const code = { type: ['string', 'null'], pattern: '^[0-9]{3}$' }

export interface NewPersonBody { phone: string; name?: string; lid?: string }
export const newBusiness = object({ phone: digits, name: text, lid: digits }, ['phone'])

export type CustomerBody = NewPersonBody & Partial<CustomerSettings>
const settings = {
  addressing, namesBoth: flag, sendsReadReceipts: flag, offline: flag, failDecrypt: count, answersRetries: flag,
}
export const newCustomer = object({ phone: digits, name: text, lid: digits, ...settings }, ['phone'])
export const customerChange = object(settings)

export type BusinessBody = Partial<BusinessSettings>
export const businessChange = object({ offline: flag, uploadsAgain: { enum: UPLOADS_AGAIN }, passesOn: { enum: PASSES_ON } })

export interface ScanBody { qr: string }
export const scan = object({ qr: text }, ['qr'])

export interface CodeBody { code: string }
export const enterCode = object({ code: { type: 'string', minLength: 8, maxLength: 16 } }, ['code'])

export interface OwnerSaysBody { customer: string; text: string; id?: string; addressing?: Addressing }
export const ownerSays = object({ customer: digits, text, id, addressing }, ['customer', 'text'])

export interface DisconnectBody { how: Ending }
export const disconnect = object({ how: { enum: ENDINGS } }, ['how'])

export interface SaveContactBody { customer: string; name?: string }
export const saveContact = object({ customer: digits, name: text }, ['customer'])

export interface RemoveContactBody { customer: string }
export const removeContact = object({ customer: digits }, ['customer'])

export interface NoticeBody { kind: Notice; customer?: string }
export const businessNotice = object({ kind: { enum: NOTICES }, customer: digits }, ['kind'])

/** The businesses whose devices are told of it. */
export interface KnownToBody { businesses: string[] }
export const knownTo = object({ businesses: { type: 'array', items: digits } }, ['businesses'])

/** Milliseconds since 1970; null lifts the restriction. */
export interface RestrictionBody { until: number | null }
export const restriction = object({ until: { type: ['integer', 'null'], minimum: 0 } }, ['until'])

/** The customers whose LID and phone number the devices are told to be one person's. */
export interface MappingBody { customers: string[] }
export const mapping = object({ customers: { type: 'array', items: digits, minItems: 1 } }, ['customers'])

export interface RestartBody { downMs?: number }
export const restart = object({ downMs: { ...count, maximum: 600_000 } })

export interface NewsletterBody { newsletter: string; text: string }
export const newsletterPost = object({ newsletter: { type: 'string', pattern: '^[0-9]+@newsletter$' }, text }, ['newsletter', 'text'])

export interface SayBody {
  business: string; text: string; id?: string; addressing?: Addressing; corrupt?: boolean; masked?: Masked; device?: number; group?: string
}
export const say = object({
  business: digits, text, id, addressing, corrupt: flag, masked, device: count, group: { type: 'string', pattern: '^[0-9-]+@g\\.us$' },
}, ['business', 'text'])

export interface SendBody extends SendOptions { business: string; content: Content }
export const send = object({ business: digits, content, id, addressing, corrupt: flag, masked, device: count, ...extras }, ['business', 'content'])

export interface OwnerSendsBody extends OwnerOptions { customer: string; content: Content }
export const ownerSends = object({ customer: digits, content, id, addressing, ...extras }, ['customer', 'content'])

export interface SayManyBody { business: string; texts: string[]; delayMs?: number; addressing?: Addressing }
export const sayMany = object({
  business: digits, texts: { type: 'array', items: text, minItems: 1, maxItems: 1_000 },
  delayMs: { ...count, maximum: 60_000 }, addressing,
}, ['business', 'texts'])

export interface BusinessTextBody { business: string; text: string }
export const statusPost = object({ business: digits, text }, ['business', 'text'])

export interface TypingBody { business: string; state?: 'composing' | 'paused' }
export const typing = object({ business: digits, state: { enum: ['composing', 'paused'] } }, ['business'])

export interface ReadBody { id: string }
export const read = object({ id }, ['id'])

export interface InboxQuery { after?: string; waitMs?: string }
export const inboxQuery = object({ after: numeral, waitMs: { type: 'string', pattern: '^[0-9]{1,5}$' } })

export interface LogQuery { tag?: string; dir?: 'in' | 'out'; after?: string; limit?: string }
export const logQuery = object({ tag: text, dir: { enum: ['in', 'out'] }, after: numeral, limit: numeral })

export interface LoadBody { businesses: string[]; customers: string[]; everyMs: number; seed?: number; mostHeld?: number }
const phones = { type: 'array', items: digits, minItems: 1, maxItems: 10_000, uniqueItems: true }
export const load = object({
  businesses: phones, customers: phones, everyMs: { type: 'integer', minimum: 1 }, seed: count, mostHeld: { type: 'integer', minimum: 1 },
}, ['businesses', 'customers', 'everyMs'])

export interface LoadChatsQuery { business?: string; customer?: string }
export const loadChatsQuery = object({ business: digits, customer: digits })

export type FaultsBody = Partial<Faults>
export const faults = object({
  latencyMs: { ...count, maximum: 60_000 }, hang: flag, ignore: { type: 'array', items: text, maxItems: 100 }, dropAcks: flag,
  ackError: code, failure: code, qrCodes: { ...count, maximum: 6 }, pairingCode: code, refuseUpgrade: { anyOf: [{ const: 0 }, { type: 'integer', minimum: 400, maximum: 599 }] },
  stallHandshake: flag, mediaDownload: { enum: MEDIA_DOWNLOAD_FAULTS }, mediaUpload: { enum: MEDIA_UPLOAD_FAULTS },
})
