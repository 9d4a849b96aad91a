import { isLidUser, jidDecode } from '@whiskeysockets/baileys'

/**
 * WhatsApp names a person in two ways: by phone number (`<phone>@s.whatsapp.net`) and by an opaque LID (`<digits>@lid`),
 * which is what it uses today so that phone numbers can stay hidden. Both name the same person and the same keys.
 */
export type Addressing = 'lid' | 'phone'

/** The server itself, in `from` and `to`. */
export const SERVER = 's.whatsapp.net'

export const phoneJid = (phone: string): string => `${phone}@${SERVER}`
export const lidJid = (lid: string): string => `${lid}@lid`

/** The part before `@`, without a device number: `123:4@lid` -> `123`. Empty for what is no jid. */
export const userOf = (jid: string): string => jidDecode(jid)?.user ?? ''

/** The device number in a jid; 0 is the phone itself. */
export const deviceOf = (jid: string): number => jidDecode(jid)?.device ?? 0

/** The jid of one of a person's devices. */
export const withDevice = (jid: string, device: number): string => (device === 0 ? jid : jid.replace('@', `:${device}@`))

export const addressingOf = (jid: string): Addressing => (isLidUser(jid) ? 'lid' : 'phone')
