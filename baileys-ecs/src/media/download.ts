import type { MediaFile } from '../journal/media-file.js'
import { MediaError } from './errors.js'
import { SEAL_BYTES } from './sealed.js'

const MEDIA_HOST = 'mmg.whatsapp.net'
const WHATSAPP_HOSTS = '.whatsapp.net'
/** Forbidden is what an expired path gets. */
const GONE = new Set([403, 404, 410])

/**
 * The ciphertext of a file, at most `maxBytes` of content long.
 *
 * @param signal ends the attempt; the caller bounds its time
 * @throws {MediaError}
 */
export async function download(file: MediaFile, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  if ((file.bytes ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const url = addressOf(file)
  try {
    const answer = await fetch(url, { redirect: 'error', headers: { Origin: 'https://web.whatsapp.com' }, signal })
    if (GONE.has(answer.status)) throw new MediaError('gone', 'the file is no longer on WhatsApp\'s servers')
    if (!answer.ok) throw new MediaError('again', `WhatsApp's media server answered ${answer.status}`)
    if (Number(answer.headers.get('content-length')) > maxBytes + SEAL_BYTES) throw tooLarge(maxBytes)
    return await read(answer, maxBytes + SEAL_BYTES) ?? (() => { throw tooLarge(maxBytes) })()
  } catch (error) {
    if (error instanceof MediaError) throw error
    throw new MediaError('again', 'WhatsApp\'s media server could not be reached, or was too slow', { cause: error })
  }
}

/** Only WhatsApp's own servers: the address is a stranger's word, and this container may reach what strangers may not. */
function addressOf({ directPath, url }: MediaFile): URL {
  const address = directPath === undefined ? url ?? '' : `https://${MEDIA_HOST}${directPath}`
  const parsed = URL.canParse(address) ? new URL(address) : undefined
  const allowed = parsed?.protocol === 'https:' && parsed.hostname.endsWith(WHATSAPP_HOSTS) && parsed.port === '' && parsed.username === ''
  if (parsed === undefined || !allowed) throw new MediaError('never', 'the file is not on WhatsApp\'s servers')
  return parsed
}

/** The body, or `undefined` as soon as it has more than `limit` bytes. */
async function read(answer: Response, limit: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > limit) return undefined // leaving the loop cancels the stream
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const tooLarge = (maxBytes: number): MediaError => new MediaError('never', `the file is larger than ${Math.floor(maxBytes / 1024)} KB`)
