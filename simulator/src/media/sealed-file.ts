import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { type MediaType, getMediaKeys } from '@whiskeysockets/baileys'

/** What a message says about a file: where it is, and all that is needed to open and to check it. */
export interface FileReference {
  readonly directPath: string
  readonly mediaKey: Uint8Array
  readonly fileSha256: Uint8Array
  readonly fileEncSha256: Uint8Array
  /** Bytes of the plain file. */
  readonly fileLength: number
}

export interface SealedFile extends Omit<FileReference, 'directPath'> {
  /** What the media server keeps: the ciphertext and ten bytes of its authentication code. */
  readonly bytes: Buffer
}

const MAC_BYTES = 10

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

const macOf = (macKey: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer =>
  createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES)

/** Encrypts a file under a key of its own (AES-256-CBC, then HMAC), as the sender of a picture does. */
export async function sealFile(plain: Uint8Array, type: MediaType): Promise<SealedFile> {
  const mediaKey = randomBytes(32)
  const { iv, cipherKey, macKey } = await keysOf(mediaKey, type)
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv)
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
  const bytes = Buffer.concat([ciphertext, macOf(macKey, iv, ciphertext)])
  return { bytes, mediaKey, fileSha256: sha256(plain), fileEncSha256: sha256(bytes), fileLength: plain.length }
}

/**
 * Decrypts a file and checks all that the message says of it, as a phone does before it shows a picture.
 * @throws Error that says what is wrong.
 */
export async function openFile(bytes: Uint8Array, file: Omit<FileReference, 'directPath'>, type: MediaType): Promise<Buffer> {
  const { iv, cipherKey, macKey } = await keysOf(file.mediaKey, type)
  const ciphertext = bytes.subarray(0, -MAC_BYTES)
  if (!sha256(bytes).equals(file.fileEncSha256)) throw new Error('the encrypted file is not the one that was sent')
  if (!macOf(macKey, iv, ciphertext).equals(bytes.subarray(-MAC_BYTES))) throw new Error('the file\'s authentication code is wrong')
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv)
  const plain = Buffer.concat([decipher.update(ciphertext), decipher.final()])
  if (!sha256(plain).equals(file.fileSha256)) throw new Error('the file\'s hash is wrong')
  if (plain.length !== file.fileLength) throw new Error(`the file has ${plain.length} bytes, the message says ${file.fileLength}`)
  return plain
}

async function keysOf(mediaKey: Uint8Array, type: MediaType): Promise<{ iv: Uint8Array; cipherKey: Uint8Array; macKey: Uint8Array }> {
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, type)
  if (!macKey) throw new Error(`no keys for files of the type ${type}`)
  return { iv, cipherKey, macKey }
}
