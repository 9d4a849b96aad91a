import {
  decodeMessageNode, isHostedLidUser, isHostedPnUser, isJidBroadcast, isJidGroup, isJidNewsletter, isJidStatusBroadcast,
  isLidUser, isPnUser, jidDecode, jidEncode, jidNormalizedUser, type BinaryNode,
} from '@whiskeysockets/baileys'
import type { Chat } from '@kesher/contracts'

/** Attributes of a message stanza that the journal keeps. */
const STANZA_ATTRIBUTES = [
  'id', 'from', 'participant', 'recipient', 't', 'notify', 'category', 'offline', 'addressing_mode',
  'sender_pn', 'sender_lid', 'recipient_pn', 'recipient_lid', 'peer_recipient_pn', 'peer_recipient_lid',
  'participant_pn', 'participant_lid',
] as const
export type StanzaAttributes = Readonly<Record<string, string>>

export interface Me {
  readonly id: string
  readonly lid?: string | undefined
}

/** What is known of a message stanza before its content is decrypted. */
export interface Stanza {
  readonly attrs: StanzaAttributes
  readonly fromMe: boolean
  readonly backlog: boolean
  readonly receivedAt: number
}

/**
 * Reads a `<message>` stanza's envelope by Baileys' own rules.
 *
 * @returns `undefined` for one that Baileys refuses too (no sender, a recipient that is not ours)
 */
export function readStanza(node: BinaryNode, me: Me, receivedAt: number): Stanza | undefined {
  try {
    const { fullMessage } = decodeMessageNode(node, me.id, me.lid ?? '')
    const attrs = Object.fromEntries(STANZA_ATTRIBUTES.flatMap(name => {
      const value: unknown = node.attrs[name]
      return typeof value === 'string' && value !== '' ? [[name, value] as const] : []
    }))
    return { attrs, fromMe: fullMessage.key.fromMe === true, backlog: attrs['offline'] !== undefined, receivedAt }
  } catch {
    return undefined
  }
}

/** A jid without its device; hosted ones (a business's cloud device) become their person's. */
export function personJid(jid: string): string {
  if (isHostedPnUser(jid)) return jidEncode(jidDecode(jid)?.user ?? '', 's.whatsapp.net')
  if (isHostedLidUser(jid)) return jidEncode(jidDecode(jid)?.user ?? '', 'lid')
  return jidNormalizedUser(jid)
}

export function chatKind(jid: string): Chat['kind'] {
  if (isJidStatusBroadcast(jid)) return 'status'
  if (isJidBroadcast(jid)) return 'broadcast'
  if (isJidGroup(jid)) return 'group'
  return isJidNewsletter(jid) ? 'newsletter' : 'direct'
}

/** The chat of a stanza: for a message of our own number that is its recipient. */
export function chatOf(attrs: StanzaAttributes, fromMe: boolean): Chat {
  const ours = fromMe && attrs['recipient'] !== undefined
  const jid = personJid((ours ? attrs['recipient'] : attrs['from']) ?? '')
  const kind = chatKind(jid)
  if (kind !== 'direct') return { kind, jid }
  const names = ours
    ? [jid, attrs['recipient_lid'], attrs['recipient_pn'], attrs['peer_recipient_lid'], attrs['peer_recipient_pn']]
    : [jid, attrs['sender_lid'], attrs['sender_pn']]
  return directChat(jid, names)
}

/** A direct chat by its own jid and whatever other names of the person are known. */
export function directChat(jid: string, names: readonly (string | undefined)[]): Chat {
  const known = names.filter(name => name !== undefined).map(personJid)
  const lid = known.find(name => isLidUser(name))
  const phoneJid = known.find(name => isPnUser(name))
  return { kind: 'direct', jid, ...(lid === undefined ? {} : { lid }), ...(phoneJid === undefined ? {} : { phoneJid }) }
}

/** Every known name of a chat, the one that lasts first. */
export const namesOf = ({ lid, phoneJid, jid }: Chat): readonly string[] =>
  [...new Set([lid, phoneJid, jid].filter(name => name !== undefined && name !== null && name !== ''))] as string[]

/** One person keeps one lane, whichever of the two addresses a message comes by. */
export const laneOf = (chat: Chat): string => chat.lid ?? chat.phoneJid ?? chat.jid

/** Attributes that name a person a second time, as WhatsApp's own stanzas do. */
export const secondName = (fromMe: boolean, jid: string): StanzaAttributes =>
  ({ [`${fromMe ? 'recipient' : 'sender'}_${isLidUser(jid) ? 'lid' : 'pn'}`]: jid })

/** The only name of a direct chat's person that a stanza gives; `undefined` if it gives both, or is about something else. */
export function onlyNameIn({ attrs, fromMe }: Stanza): string | undefined {
  if (attrs['category'] === 'peer') return undefined
  const { kind, jid, lid, phoneJid } = chatOf(attrs, fromMe)
  return kind === 'direct' && (lid === undefined || phoneJid === undefined) ? jid : undefined
}
