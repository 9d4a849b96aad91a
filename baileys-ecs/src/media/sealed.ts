import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { getMediaKeys } from '@whiskeysockets/baileys'
import type { MediaFile } from '../journal/media-file.js'
import { MediaError } from './errors.js'

/** At the end of the ciphertext. */
const MAC_BYTES = 10
/** What the encryption adds: padding to a whole block, and the authentication code. */
export const SEAL_BYTES = 16 + MAC_BYTES

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

export interface OpenedFile {
  readonly bytes: Uint8Array
  readonly sha256: Buffer
}

/**
 * Decrypts a file and checks everything that its message says of it. Baileys' own stream checks neither hash nor
 * authentication code, and an error of the connection under it would end the process.
 *
 * @throws {MediaError} it is not the file that was sent
 */
export async function openSealed(sealed: Uint8Array, { mediaKey, type, fileSha256, fileEncSha256 }: MediaFile): Promise<OpenedFile> {
  if (fileEncSha256 !== undefined && !same(sha256(sealed), fileEncSha256)) throw damaged()
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, type)
  const ciphertext = sealed.subarray(0, -MAC_BYTES)
  const mac = createHmac('sha256', macKey ?? '').update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES)
  if (sealed.length <= MAC_BYTES || !same(mac, sealed.subarray(-MAC_BYTES))) throw damaged()
  const bytes = decrypted(ciphertext, cipherKey, iv)
  const hash = sha256(bytes)
  if (fileSha256 !== undefined && !same(hash, fileSha256)) throw damaged()
  return { bytes, sha256: hash }
}

function decrypted(ciphertext: Uint8Array, key: Uint8Array, iv: Uint8Array): Buffer {
  try {
    const cipher = createDecipheriv('aes-256-cbc', key, iv)
    return Buffer.concat([cipher.update(ciphertext), cipher.final()])
  } catch {
    throw damaged() // not whole blocks, or the padding is none
  }
}

const damaged = (): MediaError => new MediaError('again', 'the file is damaged: it is not what its sender described')
