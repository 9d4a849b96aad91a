import PQueue from 'p-queue'
import { backoffDelay, type Random } from '../concurrency/backoff.js'
import { deadline } from '../concurrency/deadline.js'
import { sleep } from '../concurrency/sleep.js'
import type { MediaFile } from '../journal/media-file.js'
import type { StoredFile } from '../journal/row.js'
import type { Counters } from '../observability/counters.js'
import type { Logger } from '../observability/logger.js'
import type { MediaBucket } from '../store/media.js'
import { download } from './download.js'
import { MediaError } from './errors.js'
import { openSealed } from './sealed.js'

export interface ShelfOptions {
  /** Without one nothing is kept. */
  readonly bucket: Pick<MediaBucket, 'put'> | undefined
  readonly maxBytes: number
  /** How long one file may hold up its chat. */
  readonly deadlineMs: number
  readonly attemptMs: number
  readonly random: Random
  readonly logger: Logger
  readonly counters: Counters
}

/** A file to be put on the shelf, and where it came in. */
export interface Incoming {
  readonly tenantId: string
  readonly correlationId: string
  readonly receivedAt: number
  readonly file: MediaFile
  readonly mediaType: string
  /** Asks a phone to upload the file again; gives its new path. @throws {MediaError} nobody did. */
  readonly uploadedAgain: (file: MediaFile, signal: AbortSignal) => Promise<string>
}

/** Each file is in memory as ciphertext and as plaintext for a moment. */
const AT_ONCE = 3
const MAX_ATTEMPTS = 6
const BACKOFF = { baseMs: 500, capMs: 15_000, floorMs: 100 }

/** Brings files from WhatsApp's servers into the bucket, a few at a time, each within its deadline. */
export class MediaShelf {
  readonly #options: ShelfOptions
  readonly #queue = new PQueue({ concurrency: AT_ONCE })

  constructor(options: ShelfOptions) {
    this.#options = options
  }

  /**
   * The file's place in the bucket, or why it has none. Safe to repeat: the same bytes have the same key.
   *
   * @param stop raised when the process leaves; `undefined` is the answer then, and the row waits for the next owner
   */
  async put(incoming: Incoming, stop: AbortSignal): Promise<StoredFile | undefined> {
    const { deadlineMs, logger, counters } = this.#options
    const { signal, release } = deadline(deadlineMs, stop)
    try {
      return await this.#attempts(incoming, signal)
    } catch (error) {
      if (stop.aborted) return undefined
      const reason = error instanceof MediaError ? error.reason : 'the file could not be fetched and stored in time'
      counters.add('mediaMissing')
      logger.warn({ correlationId: incoming.correlationId, reason, err: error }, 'a file is missing; its message goes without it')
      return { missing: reason }
    } finally {
      release()
    }
  }

  async #attempts(incoming: Incoming, signal: AbortSignal): Promise<StoredFile> {
    const { random, logger } = this.#options
    let { file } = incoming
    let asked = false
    for (let attempt = 0; ; attempt++) {
      try {
        const current = file
        // Only here is a file in memory: who waits for a phone holds up nobody else's files.
        return await this.#queue.add(() => this.#once({ ...incoming, file: current }, signal), { signal })
      } catch (error) {
        if (signal.aborted || attempt + 1 >= MAX_ATTEMPTS || (error instanceof MediaError && error.kind === 'never')) throw error
        if (error instanceof MediaError && error.kind === 'gone') {
          if (asked) throw error
          asked = true
          file = { ...file, directPath: await incoming.uploadedAgain(file, signal) }
          continue
        }
        logger.info({ correlationId: incoming.correlationId, attempt, err: error }, 'a file could not be fetched; trying again')
        await sleep(backoffDelay(BACKOFF, attempt, random), signal)
      }
    }
  }

  async #once(incoming: Incoming, over: AbortSignal): Promise<StoredFile> {
    const { signal, release } = deadline(this.#options.attemptMs, over)
    return this.#fetched(incoming, signal).finally(release)
  }

  async #fetched({ tenantId, receivedAt, file, mediaType }: Incoming, signal: AbortSignal): Promise<StoredFile> {
    const { bucket, maxBytes, counters } = this.#options
    if (bucket === undefined) throw new MediaError('never', 'this deployment keeps no files')
    const { bytes, sha256 } = await openSealed(await download(file, maxBytes, signal), file)
    const objectKey = objectKeyOf(tenantId, receivedAt, sha256)
    await bucket.put(objectKey, { bytes, mediaType }, sha256.toString('base64'))
    counters.add('mediaStored')
    return { objectKey, sha256: sha256.toString('hex'), bytes: bytes.length }
  }
}

/** By content, not by message: a stranger chooses message ids, and must not write over another one's file. */
function objectKeyOf(tenantId: string, receivedAt: number, sha256: Buffer): string {
  return `media/${tenantId}/${new Date(receivedAt).toISOString().slice(0, 7)}/${sha256.toString('hex')}`
}
