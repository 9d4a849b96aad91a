import { isLidUser, isPnUser, jidNormalizedUser, type proto } from '@whiskeysockets/baileys'
import type { Contact } from '@kesher/contracts'

/** One change of the phone's address book, decrypted. Baileys' own events do not say whether it is a removal. */
export interface Mutation {
  readonly removed: boolean
  /** What it is about: `["contact", "<jid>"]`. */
  readonly index: readonly unknown[]
  readonly value: proto.ISyncActionValue
}

const KINDS: ReadonlySet<unknown> = new Set(['contact', 'lid_contact'])

/**
 * Whom a change is about and whether they are saved since; `undefined` if it is about something else.
 *
 * Saved is who has a name that the owner gave: WhatsApp keeps entries without one, too. A removal repeats the last value.
 */
export function contactIn({ removed, index: [kind, id], value }: Mutation): Contact | undefined {
  if (!KINDS.has(kind) || typeof id !== 'string' || !isPerson(id)) return undefined
  const jid = jidNormalizedUser(id)
  const { contactAction, lidContactAction } = value
  const names = [contactAction?.fullName, contactAction?.firstName, lidContactAction?.fullName, lidContactAction?.firstName]
  const named = names.some(name => name !== null && name !== undefined && name.trim() !== '')
  const alias = isLidUser(jid) ? contactAction?.pnJid : contactAction?.lidJid
  return {
    jid, saved: named && !removed,
    ...(alias !== null && alias !== undefined && isPerson(alias) ? { alias: jidNormalizedUser(alias) } : {}),
  }
}

const isPerson = (jid: string): boolean => isPnUser(jid) === true || isLidUser(jid) === true
