import { randomBytes } from 'node:crypto'
import { SERVER } from '../jids.js'
import { type Stanza, leaf, timestamp } from '../stanza.js'

/** What the server tells a business' devices of its own accord; most of it a gateway has no use for, and must live through. */
export const NOTICES = ['keys-low', 'picture', 'business-profile', 'number-change', 'timer', 'blocklist', 'group-subject', 'group-join', 'app-state', 'unknown'] as const
export type Notice = (typeof NOTICES)[number]

const notification = (type: string, from: string, content: Stanza[], attrs: Stanza['attrs'] = {}): Stanza => ({
  tag: 'notification', attrs: { id: randomBytes(8).toString('hex').toUpperCase(), type, from, t: timestamp(), ...attrs }, content,
})

/** Somebody linked or unlinked a device. */
export const devicesChanged = (change: 'add' | 'remove', jid: string, device: string, number: number): Stanza =>
  notification('devices', jid, [{
    tag: change, attrs: { device_hash: '2:sim' },
    content: [{ tag: 'device', attrs: { jid: device, 'key-index': String(number) } }, { tag: 'key-index-list', attrs: { ts: timestamp() } }],
  }])

/** A part of the account's state, such as the phone's contacts, is now at this version. */
export const stateChanged = (collection: string, version: number): Stanza =>
  notification('server_sync', SERVER, [{ tag: 'collection', attrs: { name: collection, version: String(version) } }])

/** Somebody has a new phone, or installed WhatsApp anew: the keys are others now. */
export const identityChanged = (jid: string): Stanza => notification('encrypt', jid, [{ tag: 'identity', attrs: {} }])

/** The account may begin no new chats until then (milliseconds since 1970), or may again. */
export const restrictionChanged = (until: number | null): Stanza => notification('mex', SERVER, [
  leaf('update', Buffer.from(JSON.stringify({ data: { xwa2_notify_account_reachout_timelock: timelock(until) } })), { op_name: 'NotificationUserReachoutTimelockUpdate' }),
])

export const timelock = (until: number | null): object => ({
  is_active: until !== null, enforcement_type: 'DEFAULT', time_enforcement_ends: until === null ? '0' : String(Math.floor(until / 1000)),
})

/** @param about whose phone, picture or profile it is. */
export function notice(kind: Notice, about: { readonly phoneJid: string; readonly lidJid: string }): Stanza {
  const { phoneJid, lidJid } = about
  const group = '120363000000000009@g.us'
  switch (kind) {
    case 'keys-low': return notification('encrypt', SERVER, [{ tag: 'count', attrs: { value: '3' } }])
    case 'picture': return notification('picture', lidJid, [{ tag: 'set', attrs: { jid: lidJid, id: '1', author: lidJid } }])
    case 'business-profile': return notification('business', phoneJid, [{ tag: 'profile', attrs: { jid: phoneJid, tag: '1' } }])
    case 'number-change': return notification('contacts', phoneJid, [{ tag: 'modify', attrs: { old: phoneJid, new: phoneJid, new_lid: lidJid } }])
    case 'timer': return notification('account_sync', SERVER, [{ tag: 'disappearing_mode', attrs: { duration: '86400', t: timestamp() } }])
    case 'blocklist': return notification('account_sync', SERVER, [{
      tag: 'blocklist', attrs: { action: 'modify' }, content: [{ tag: 'item', attrs: { jid: phoneJid, action: 'block' } }],
    }])
    case 'group-subject': return notification('w:gp2', group, [{ tag: 'subject', attrs: { subject: 'Neighbours', s_t: timestamp(), s_o: lidJid } }], { participant: lidJid })
    case 'group-join': return notification('w:gp2', group, [{ tag: 'add', attrs: {}, content: [{ tag: 'participant', attrs: { jid: lidJid, phone_number: phoneJid } }] }], { participant: lidJid })
    case 'app-state': return stateChanged('regular', 1)
    case 'unknown': return notification('tea-time', SERVER, [leaf('kettle', Buffer.from('hot'))])
  }
}
