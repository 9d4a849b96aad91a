import { decryptMediaRetryData, encryptMediaRetryRequest, proto, type BaileysEventMap, type WAMessageKey } from '@whiskeysockets/baileys'
import { deadline } from '../concurrency/deadline.js'
import type { Connection } from '../session/connection.js'

/** A phone that is on answers within seconds; one that is off does not. */
const ANSWER_MS = 15_000

/** `refused`: the phone has the file no more. `silent`: it did not answer. `disconnected`: it may have, but the socket ended before. */
export type UploadAnswer = { readonly directPath: string } | 'refused' | 'silent' | 'disconnected'

/**
 * Asks the owner's phone to upload a message's file again, as WhatsApp's own apps do when it is no longer on the servers.
 *
 * Baileys' `updateMediaMessage` waits for the answer until the socket ends, with a listener for each: whoever sends many
 * dead files would grow the process.
 */
export async function askForUpload(
  connection: Pick<Connection, 'socket' | 'onEnd'>, key: WAMessageKey, mediaKey: Uint8Array, signal: AbortSignal,
): Promise<UploadAnswer> {
  const { socket } = connection
  const over = deadline(ANSWER_MS, signal)
  let forget: (() => void)[] = []
  let asked = false
  try {
    const answer = new Promise<UploadAnswer>(resolve => {
      const silent = (): void => { resolve(asked || signal.aborted ? 'silent' : 'disconnected') }
      const listen = (updates: BaileysEventMap['messages.media-update']): void => {
        const update = updates.find(one => one.key.id === key.id)
        if (update !== undefined) resolve(update.media === undefined ? 'refused' : answerIn(update.media, mediaKey, key.id ?? ''))
      }
      if (signal.aborted) silent()
      over.signal.addEventListener('abort', silent, { once: true })
      socket.ev.on('messages.media-update', listen)
      forget = [
        over.release,
        () => { socket.ev.off('messages.media-update', listen) },
        connection.onEnd(() => { resolve('disconnected') }),
      ]
    })
    asked = await ask(socket, key, mediaKey)
    return await answer
  } finally {
    for (const each of forget) each()
  }
}

/**
 * A request that cannot go out is not the end of the socket: Baileys refuses it from the moment it begins to close, which
 * it does for up to 30 s before it says so. Whoever asked again at once would ask for ever.
 *
 * @returns whether it went out
 */
async function ask({ user, sendNode }: Connection['socket'], key: WAMessageKey, mediaKey: Uint8Array): Promise<boolean> {
  if (user === undefined) return false
  return sendNode(encryptMediaRetryRequest(key, Buffer.from(mediaKey), user.id)).then(() => true, () => false)
}

function answerIn(media: { readonly ciphertext: Uint8Array; readonly iv: Uint8Array }, mediaKey: Uint8Array, id: string): UploadAnswer {
  try {
    const { result, directPath } = decryptMediaRetryData(media, mediaKey, id)
    return result === proto.MediaRetryNotification.ResultType.SUCCESS && directPath ? { directPath } : 'refused'
  } catch {
    return 'refused' // not encrypted under the file's key: an answer that means nothing
  }
}
