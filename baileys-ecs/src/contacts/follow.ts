import { getBinaryNodeChildren, type BinaryNode, type WASocket } from '@whiskeysockets/baileys'
import type { EventRow } from '../journal/row.js'
import type { AddressBookStore } from '../store/address-book.js'
import type { SocketKeys } from '../store/auth-state.js'
import { AddressBook, type AddressBookOptions } from './address-book.js'
import { CONTACTS } from './collection.js'

export interface FollowOptions extends Pick<AddressBookOptions, 'tenantId' | 'failed' | 'clock' | 'now' | 'random' | 'logger'> {
  readonly socket: WASocket
  readonly keys: SocketKeys
  readonly book: AddressBookStore
  readonly journalled: (rows: readonly EventRow[]) => void
}

/** The address book of the phone behind a socket: read whenever the phone changes it, or gives the key to it. */
export function followContacts({ socket, keys, book, journalled, ...options }: FollowOptions): AddressBook {
  const addressBook = new AddressBook({
    ...options,
    query: question => socket.query(question),
    newId: () => socket.generateMessageTag(),
    keyOf: async id => (await keys.get('app-state-sync-key', [id]))[id],
    cursor: () => book.cursor(),
    advance: async (cursor, rows) => {
      await book.advance(cursor, rows, () => keys.isClosed)
      journalled(rows)
    },
  })
  socket.ev.on('creds.update', ({ myAppStateKeyId }) => { if (myAppStateKeyId !== undefined) addressBook.look() })
  socket.ws.on('CB:notification,type:server_sync', (node: BinaryNode) => {
    if (getBinaryNodeChildren(node, 'collection').some(({ attrs }) => attrs['name'] === CONTACTS)) addressBook.look()
  })
  return addressBook
}
