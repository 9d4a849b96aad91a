import { decryptMediaRetryData, encryptMediaRetryRequest, proto, type BaileysEventMap, type WAMessageKey, type WASocket } from '@whiskeysockets/baileys'

/** A phone that is on answers within seconds; one that is off does not. */
const ANSWER_MS = 15_000

/**
 * Asks the owner's phone to upload a message's file again, as WhatsApp's own apps do when it is no longer on the servers.
 *
 * Baileys' `updateMediaMessage` waits for the answer until the socket ends, with a listener for each: whoever sends many
 * dead files would grow the process.
 *
 * @returns the new path, or `undefined` if the phone has it no more, or did not answer
 */
export async function askForUpload(socket: WASocket, key: WAMessageKey, mediaKey: Uint8Array, signal: AbortSignal): Promise<string | undefined> {
  const { user } = socket
  if (user === undefined) return undefined
  const over = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  let listener: ((updates: BaileysEventMap['messages.media-update']) => void) | undefined
  try {
    const answer = new Promise<string | undefined>(resolve => {
      over.addEventListener('abort', () => { resolve(undefined) }, { once: true })
      listener = updates => {
        const update = updates.find(one => one.key.id === key.id)
        if (update !== undefined) resolve(update.media === undefined ? undefined : newPath(update.media, mediaKey, key.id ?? ''))
      }
      socket.ev.on('messages.media-update', listener)
    })
    await socket.sendNode(encryptMediaRetryRequest(key, Buffer.from(mediaKey), user.id))
    return await answer
  } catch {
    return undefined // the socket ended under the request: nobody will answer it
  } finally {
    if (listener !== undefined) socket.ev.off('messages.media-update', listener)
  }
}

function newPath(media: { readonly ciphertext: Uint8Array; readonly iv: Uint8Array }, mediaKey: Uint8Array, id: string): string | undefined {
  try {
    const { result, directPath } = decryptMediaRetryData(media, mediaKey, id)
    return result === proto.MediaRetryNotification.ResultType.SUCCESS ? directPath ?? undefined : undefined
  } catch {
    return undefined // not encrypted under the file's key: an answer that means nothing
  }
}
