import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Faults } from '../faults.js'
import { MEDIA_HOST, type MediaStore } from './media-store.js'

/** What a phone may upload; WhatsApp takes documents of 2 GB. */
const UPLOAD_LIMIT = 128 * 1024 * 1024
/** `slow`: so many bytes at a time, ten times a second. */
const SLOW_BYTES = 16
const SLOW_MS = 100

/**
 * WhatsApp's media servers: `POST /mms/<type>/<hash>` takes an encrypted file, `GET <direct path>` gives it.
 * Both know nobody: whoever has the path gets the ciphertext.
 */
export async function serveMedia(
  request: IncomingMessage, response: ServerResponse, { store, faults }: { readonly store: MediaStore; readonly faults: Faults },
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (request.method === 'POST' && pathname.startsWith('/mms/') && searchParams.has('auth')) await takeUpload(request, response, store, faults)
  else if (request.method === 'GET') await giveDownload(response, pathname, store, faults)
  else answer(response, 404, { error: 'not-found' })
}

async function takeUpload(request: IncomingMessage, response: ServerResponse, store: MediaStore, { mediaUpload }: Faults): Promise<void> {
  if (mediaUpload === 'stalled') return // the client's own deadline ends it
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length <= UPLOAD_LIMIT) parts.push(part)
  }
  if (mediaUpload === 'refused') answer(response, 403, { error: 'forbidden' })
  else if (length > UPLOAD_LIMIT) answer(response, 413, { error: 'too-large' })
  else {
    const path = store.put(Buffer.concat(parts))
    answer(response, 200, { url: `https://${MEDIA_HOST}${path}?mms3=true`, direct_path: path })
  }
}

async function giveDownload(response: ServerResponse, path: string, store: MediaStore, { mediaDownload }: Faults): Promise<void> {
  const file = store.get(path)
  if (store.isExpired(path)) answer(response, 410, { error: 'gone' })
  else if (!file || mediaDownload === 'missing') answer(response, 404, { error: 'not-found' })
  else if (mediaDownload === 'gone') answer(response, 410, { error: 'gone' })
  else if (mediaDownload === 'stalled') response.writeHead(200, { 'content-length': file.length }).flushHeaders()
  else if (mediaDownload === 'slow') await drip(response, file)
  else if (mediaDownload === 'endless') await flood(response, file)
  else response.writeHead(200, { 'content-length': file.length }).end(mediaDownload === 'wrong' ? damaged(file) : file)
}

/** Every bit of the first block is turned: the length is right, the content and the authentication code are not. */
const damaged = (file: Buffer): Buffer => Buffer.from(file.map((byte, at) => (at < 16 ? byte ^ 0xff : byte)))

async function drip(response: ServerResponse, file: Buffer): Promise<void> {
  response.writeHead(200, { 'content-length': file.length })
  for (let at = 0; at < file.length && !response.destroyed; at += SLOW_BYTES) {
    response.write(file.subarray(at, at + SLOW_BYTES))
    await new Promise(resolve => { setTimeout(resolve, SLOW_MS) })
  }
  response.end()
}

/** The file, and then zeros for as long as the client goes on reading. */
async function flood(response: ServerResponse, file: Buffer): Promise<void> {
  response.writeHead(200)
  response.write(file)
  const zeros = Buffer.alloc(64 * 1024)
  while (!response.destroyed) {
    if (response.write(zeros)) await new Promise(resolve => { setImmediate(resolve) })
    else await new Promise<void>(resolve => { response.once('drain', resolve).once('close', resolve) })
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
