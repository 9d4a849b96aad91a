import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

/** An object of the media bucket; all of them are small enough for memory. */
export interface StoredMedia {
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/** An object is missing, or larger than the caller takes. */
export class MediaObjectError extends Error {
  override readonly name = 'MediaObjectError'
}

export interface MediaBucketOptions {
  readonly bucket: string
  readonly region: string
  readonly endpoint: string | undefined
}

/** What customers sent and what is to be sent to them. The bucket encrypts by itself, with the deployment's key. */
export class MediaBucket {
  readonly #client: S3Client
  readonly #bucket: string

  constructor({ bucket, region, endpoint }: MediaBucketOptions) {
    this.#bucket = bucket
    this.#client = new S3Client({
      region, maxAttempts: 3,
      // An emulator answers at one host for all buckets.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
    })
  }

  /** @param sha256 of `bytes`, base64: S3 refuses the object if it is another one on arrival */
  async put(key: string, { bytes, mediaType }: StoredMedia, sha256: string): Promise<void> {
    await this.#client.send(new PutObjectCommand({
      Bucket: this.#bucket, Key: key, Body: bytes, ContentType: mediaType, ChecksumSHA256: sha256, Metadata: { sha256 },
      ContentDisposition: 'attachment', // whoever opens it in a browser downloads it: it may be HTML that a stranger wrote
    }))
  }

  /** @throws {MediaObjectError} there is no such object, or it has more than `maxBytes` */
  async get(key: string, maxBytes: number): Promise<StoredMedia> {
    try {
      const { Body, ContentLength = 0, ContentType = 'application/octet-stream' } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }))
      if (ContentLength > maxBytes) throw new MediaObjectError(`the object has ${ContentLength} bytes; ${maxBytes} are taken`)
      return { bytes: await Body?.transformToByteArray() ?? new Uint8Array(), mediaType: ContentType }
    } catch (error) {
      // Who may not list a bucket is told AccessDenied of what is not in it.
      if (error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'AccessDenied')) throw new MediaObjectError('there is no such object', { cause: error })
      throw error
    }
  }

  close(): void {
    this.#client.destroy()
  }
}
