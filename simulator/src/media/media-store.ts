import { randomBytes } from 'node:crypto'
import type { MediaType } from '@whiskeysockets/baileys'
import { NotFoundError } from '../errors.js'
import { BoundedMap } from '../journal.js'
import { type FileReference, openFile, sealFile } from './sealed-file.js'

/** The host that Baileys takes from a `media_conn` and from a message's `directPath`. */
export const MEDIA_HOST = 'mmg.whatsapp.net'

/** Encrypted files on WhatsApp's media servers, by the path under which messages name them. The server has no keys. */
export class MediaStore {
  readonly #files = new BoundedMap<string, Buffer>(2_000)
  /** Paths that the servers no longer give; who had the file has it still. */
  readonly #expired = new BoundedMap<string, true>(2_000)

  /** @returns the file's `direct_path`. */
  put(bytes: Buffer): string {
    const path = `/v/t62.7118-24/${randomBytes(12).toString('hex')}.enc`
    this.#files.set(path, bytes)
    return path
  }

  get(path: string): Buffer | undefined {
    return this.isExpired(path) ? undefined : this.#files.get(path)
  }

  isExpired(path: string): boolean {
    return this.#expired.has(path)
  }

  /** All files that are on the servers now are too old from here on. */
  expire(): void {
    for (const path of this.#files.keys()) this.#expired.set(path, true)
  }

  /** A phone that has a file uploads it again, encrypted as it was. @returns its new path. @throws NotFoundError when nobody has it. */
  renew(path: string): string {
    const bytes = this.#files.get(path)
    if (!bytes) throw new NotFoundError(`no file was uploaded to ${path}`)
    return this.put(bytes)
  }

  /** Encrypts a phone's file and uploads it. */
  async upload(plain: Uint8Array, type: MediaType): Promise<FileReference> {
    const { bytes, ...file } = await sealFile(plain, type)
    return { ...file, directPath: this.put(bytes) }
  }

  /**
   * What a phone does with a file in a message that it got.
   * @throws NotFoundError when there is no such file; Error when it is not what the message says.
   */
  async download(file: FileReference, type: MediaType): Promise<Buffer> {
    const path = file.directPath.split('?')[0] ?? ''
    const bytes = this.get(path)
    if (!bytes) throw new NotFoundError(`no file was uploaded to ${path}`)
    return openFile(bytes, file, type)
  }
}
