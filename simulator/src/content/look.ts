import type { proto } from '@whiskeysockets/baileys'
import type { MediaStore } from '../media/media-store.js'
import { MEDIA_TYPES } from './content.js'
import { type SeenContent, contextOf, seen, seenFile, textOf } from './read.js'

/** What a phone's screen shows of a message; a file is downloaded and verified at once. */
export async function look(message: proto.IMessage, media: MediaStore): Promise<SeenContent> {
  const found = seenFile(message)
  if (!found) return seen(message)
  const { file, ...rest } = found
  const caption = textOf(message)
  const shown = { ...rest, ...(caption !== null && { caption }), ...contextOf(message) }
  try {
    return { ...shown, size: (await media.download(file, MEDIA_TYPES[found.kind])).length }
  } catch (problem) {
    return { ...shown, size: null, problem: (problem as Error).message } // it is the sender's message that is wrong: the test reads it here
  }
}
