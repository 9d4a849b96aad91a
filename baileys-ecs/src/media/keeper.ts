import { fileIn } from '../journal/mapping.js'
import type { MessageRow, StoredFile } from '../journal/row.js'
import { chatOf } from '../journal/stanza.js'
import type { Connection } from '../session/connection.js'
import { MediaError } from './errors.js'
import { askForUpload } from './reupload.js'
import type { MediaShelf } from './shelf.js'

export interface KeeperOptions {
  readonly tenantId: string
  readonly shelf: MediaShelf
  /** Of an echo of our own the file is where it was sent from. */
  readonly isOwnEcho: (row: MessageRow) => Promise<boolean>
  /** The open connection, or the next one; `undefined` when the signal is raised before. */
  readonly connection: (signal: AbortSignal) => Promise<Connection | undefined>
}

/** Puts the file of a journal row into the bucket; knows nothing but the row. */
export function fileKeeper({ tenantId, shelf, isOwnEcho, connection }: KeeperOptions) {
  return async (row: MessageRow, stop: AbortSignal): Promise<StoredFile | undefined> => {
    const { attrs, fromMe, receivedAt, plaintext } = row
    const { kind, jid } = chatOf(attrs, fromMe)
    // Files of groups, stories and newsletters are not fetched: the webhook ignores those chats by policy.
    const found = plaintext === undefined || kind !== 'direct' ? undefined : fileIn(plaintext, fromMe)
    if (found === undefined || await isOwnEcho(row)) return undefined
    const id = attrs['id'] ?? ''
    return shelf.put({
      ...found, tenantId, correlationId: id, receivedAt,
      uploadedAgain: async ({ mediaKey }, signal) => {
        for (;;) {
          // After a restart the journal is forwarded before the socket is open; and what a socket that ended had asked is asked again.
          const open = await connection(signal)
          if (open === undefined) throw gone('the business\'s phone could not be asked for it')
          const answer = await askForUpload(open, { id, fromMe, remoteJid: jid }, mediaKey, signal)
          if (answer === 'refused') throw gone('the business\'s phone does not have it any more')
          if (answer === 'silent') throw gone('the business\'s phone did not answer when it was asked for it')
          if (answer !== 'disconnected') return answer.directPath
        }
      },
    }, stop)
  }
}

const gone = (why: string): MediaError => new MediaError('never', `the file is no longer on WhatsApp's servers, and ${why}`)
