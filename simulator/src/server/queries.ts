import { deviceOf, phoneJid } from '../jids.js'
import type { Faults } from '../faults.js'
import { MEDIA_HOST } from '../media/media-store.js'
import { CONTACTS } from '../people/address-book.js'
import type { Directory } from '../people/directory.js'
import { type KeyBundle, bundleStanzas, readKey, readSignedKey } from '../people/key-bundle.js'
import type { LinkedDevice } from '../people/linked-device.js'
import { timelock } from './notifications.js'
import { type Stanza, bytesIn, child, children, firstChild, leaf } from '../stanza.js'

/** A question of a logged-in device, with what its answer may need. */
export interface Query {
  readonly stanza: Stanza
  readonly device: LinkedDevice
  readonly directory: Directory
  readonly faults: Faults
}

/** What to answer, or which error; and what to do once the answer is on its way. */
export type Answer =
  | { readonly content?: Stanza[]; readonly then?: 'activate' | 'unlink' }
  | { readonly error: { readonly code: string; readonly text: string } }

const NOT_FOUND = { code: '404', text: 'item-not-found' }
const nothing = (): Answer => ({})

/**
 * The queries that Baileys makes at login, on a timer and before it writes to somebody for the first time, by their kind
 * (see `kindOf`). Each of them has to be answered: Baileys waits for most and then gives up the connection.
 */
export const QUERIES: Readonly<Record<string, (query: Query) => Answer | Promise<Answer>>> = {
  // Keep-alive.
  'iq/w:p/get/ping': nothing,

  // "Active" is the end of the login: from here on the device takes messages.
  'iq/passive/set/active': () => ({ then: 'activate' }),
  'iq/passive/set/passive': nothing,

  // One's own Signal keys on the server.
  'iq/encrypt/get/count': ({ device }) => ({
    content: [{ tag: 'count', attrs: { value: String(device.preKeys.length) } }],
  }),
  // Without a digest Baileys uploads all its keys again.
  'iq/encrypt/get/digest': () => ({ content: [{ tag: 'digest', attrs: {} }] }),
  'iq/encrypt/set/rotate': ({ stanza, device }) => {
    device.signedPreKey = readSignedKey(child(firstChild(stanza), 'skey'))
    return {}
  },
  'iq/encrypt/set/registration': ({ stanza, device }) => {
    device.preKeys.push(...children(child(stanza, 'list'), 'key').map(readKey))
    device.signedPreKey = readSignedKey(child(stanza, 'skey'))
    return {}
  },

  // Other people's keys, before writing to them for the first time.
  'iq/encrypt/get/key': ({ stanza, directory }) => ({
    content: [{
      tag: 'list', attrs: {},
      content: children(firstChild(stanza), 'user').map(({ attrs: { jid = '' } }) => {
        const bundle = bundleOf(jid, directory)
        return { tag: 'user', attrs: { jid }, content: bundle ? bundleStanzas(bundle) : [{ tag: 'error', attrs: NOT_FOUND }] }
      }),
    }],
  }),

  // Who has WhatsApp, under which LID, with which devices.
  'iq/usync/get/usync': ({ stanza, directory }) => {
    const usync = firstChild(stanza)
    const asked = (firstChildren(child(usync, 'query'))).map(({ tag }) => tag)
    const users = children(child(usync, 'list'), 'user').map(user => usyncUser(user, asked, directory))
    return { content: [{ tag: 'usync', attrs: { ...usync?.attrs }, content: [{ tag: 'list', attrs: {}, content: users }] }] }
  },

  // Settings and lists, all at their defaults or empty.
  'iq/abt/get/props': () => ({ content: [{ tag: 'props', attrs: { hash: 'sim1', refresh: '86400' }, content: [] }] }),
  'iq/blocklist/get/': () => ({ content: [{ tag: 'list', attrs: {}, content: [] }] }),
  'iq/privacy/get/privacy': () => ({
    content: [{
      tag: 'privacy', attrs: {},
      content: [
        { tag: 'category', attrs: { name: 'readreceipts', value: 'all' } },
        { tag: 'category', attrs: { name: 'last', value: 'all' } },
      ],
    }],
  }),
  'iq/privacy/set/tokens': nothing,
  'iq/w:stats/set/add': nothing,
  'iq/urn:xmpp:whatsapp:dirty/set/clean': nothing,
  // The state that a phone shares with its devices; of it only the contacts are simulated, all else is empty.
  'iq/w:sync:app:state/set/sync': async ({ stanza, device }) => ({
    content: [{
      tag: 'sync', attrs: {},
      content: await Promise.all(children(firstChild(stanza), 'collection').map(async ({ attrs: { name = '', version = '0', return_snapshot: whole } }) =>
        name === CONTACTS
          ? await device.business.addressBook.collection(Number(version), whole === 'true')
          : { tag: 'collection', attrs: { name, version }, content: [] })),
    }],
  }),
  // Where to upload files.
  'iq/w:m/set/media_conn': () => ({
    content: [{
      tag: 'media_conn', attrs: { auth: 'simulated', ttl: '300', auth_ttl: '3600', max_buckets: '12' },
      content: [{ tag: 'host', attrs: { hostname: MEDIA_HOST, type: 'primary', maxContentLengthBytes: '134217728' } }],
    }],
  }),

  // The only GraphQL query asks until when the account is restricted: as it is, or for a day while the fault refuses messages for that reason.
  'iq/w:mex/get/query': ({ device, faults }) => {
    const lock = timelock(faults.ackError === '463' ? Date.now() + 86_400_000 : device.business.restrictedUntil)
    return { content: [leaf('result', Buffer.from(JSON.stringify({ data: { xwa2_fetch_account_reachout_timelock: lock } })))] }
  },

  'iq/w:profile:picture/get/picture': () => ({ error: NOT_FOUND }),

  // logout(): the device unlinks itself.
  'iq/md/set/remove-companion-device': () => ({ then: 'unlink' }),
}

const firstChildren = (stanza: Stanza | undefined): Stanza[] => (Array.isArray(stanza?.content) ? stanza.content : [])

function bundleOf(jid: string, directory: Directory): KeyBundle | undefined {
  const person = directory.find(jid)
  return person?.bundleOf(deviceOf(jid))
}

function usyncUser(user: Stanza, asked: readonly string[], directory: Directory): Stanza {
  const phone = bytesIn(user, 'contact').toString().replace(/\D/g, '')
  const jid = user.attrs.jid ?? phoneJid(phone)
  const person = directory.find(jid)
  const numbers = person?.deviceNumbers() ?? []
  const answers: Readonly<Record<string, Stanza | undefined>> = {
    contact: { tag: 'contact', attrs: { type: person ? 'in' : 'out' } },
    lid: person && jid === person.phoneJid ? { tag: 'lid', attrs: { val: person.lidJid } } : undefined,
    devices: person && {
      tag: 'devices', attrs: {},
      content: [{
        tag: 'device-list', attrs: { hash: '2:sim' },
        content: numbers.map(number => ({
          tag: 'device', attrs: { id: String(number), ...(number > 0 && { 'key-index': String(number) }) },
        })),
      }],
    },
  }
  return { tag: 'user', attrs: { jid }, content: asked.map(tag => answers[tag]).filter(answer => answer !== undefined) }
}
