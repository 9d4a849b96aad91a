import type { WASocket } from '@whiskeysockets/baileys'
import { fileIn } from '../journal/mapping.js'
import type { MessageRow, StoredFile } from '../journal/row.js'
import { chatOf } from '../journal/stanza.js'
import { askForUpload } from './reupload.js'
import type { MediaShelf } from './shelf.js'

export interface KeeperOptions {
  readonly tenantId: string
  readonly shelf: MediaShelf
  /** Of an echo of our own the file is where it was sent from. */
  readonly isOwnEcho: (row: MessageRow) => Promise<boolean>
  /** An open socket, through which the phone can be asked for a file. */
  readonly socket: () => WASocket | undefined
}

/** Puts the file of a journal row into the bucket; knows nothing but the row. */
export function fileKeeper({ tenantId, shelf, isOwnEcho, socket }: KeeperOptions) {
  return async (row: MessageRow, stop: AbortSignal): Promise<StoredFile | undefined> => {
    const { attrs, fromMe, receivedAt, plaintext } = row
    // Files of groups, stories and newsletters are not fetched: the webhook ignores those chats by policy.
    const found = plaintext === undefined || chatOf(attrs, fromMe).kind !== 'direct' ? undefined : fileIn(plaintext, fromMe)
    if (found === undefined || await isOwnEcho(row)) return undefined
    const id = attrs['id'] ?? ''
    const key = { id, fromMe, remoteJid: attrs[fromMe ? 'recipient' : 'from'] ?? '' }
    return shelf.put({
      ...found, tenantId, correlationId: id, receivedAt,
      uploadedAgain: async ({ mediaKey }, signal) => {
        const open = socket()
        return open === undefined ? undefined : askForUpload(open, key, mediaKey, signal)
      },
    }, stop)
  }
}
