import { createHash } from 'node:crypto'
import type { MediaContent } from '@kesher/contracts'
import { MediaObjectError, type MediaBucket } from '../store/media.js'

/** The message can never be sent as it is. The message says why, to a person. */
export class UnsendableError extends Error {
  override readonly name = 'UnsendableError'
}

/** WhatsApp shows pictures, films and sounds up to this size. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024

/**
 * The bytes of a file to be sent.
 *
 * @throws {UnsendableError} there is no such object, it is too large, or not the one that was meant
 */
export async function fileOf({ objectKey, sha256 }: MediaContent, bucket: MediaBucket | undefined): Promise<Buffer> {
  if (bucket === undefined) throw new UnsendableError('This gateway has no bucket for files (MEDIA_BUCKET).')
  if (objectKey == null) throw new UnsendableError('The command names no file.')
  const file = await found(bucket, objectKey)
  if (sha256 != null && createHash('sha256').update(file).digest('hex') !== sha256) {
    throw new UnsendableError('The file in the bucket is not the one that was to be sent.')
  }
  return file
}

async function found(bucket: MediaBucket, objectKey: string): Promise<Buffer> {
  try {
    const { bytes } = await bucket.get(objectKey, MAX_FILE_BYTES)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (error) {
    if (error instanceof MediaObjectError) throw new UnsendableError(`The file cannot be sent: ${error.message}.`, { cause: error })
    throw error
  }
}
