import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type WAMessage, downloadMediaMessage } from '@whiskeysockets/baileys'
import { type Content, type FileKind, NotFoundError } from '../src/index.js'
import { fileOf } from '../src/content/samples.js'
import { openFile, sealFile } from '../src/media/sealed-file.js'
import { eventually } from './support/eventually.js'
import type { Gateway } from './support/gateway.js'
import { scene } from './support/scene.js'

const arrival = (gateway: Gateway, id: string): Promise<WAMessage> =>
  eventually(`message ${id}`, () => gateway.received.find(({ message }) => message.key.id === id)?.message)

const download = (message: WAMessage): Promise<Buffer> => downloadMediaMessage(message, 'buffer', {})

const KINDS: readonly FileKind[] = ['image', 'video', 'audio', 'voice', 'document', 'sticker']

describe('Files from customers', () => {
  it('of every kind reach Baileys, which downloads and decrypts them', async t => {
    const { business, customer, gateway } = await scene(t)
    for (const kind of KINDS) {
      const id = await customer.sendContent(business, { kind })
      const message = await arrival(gateway, id)
      assert.deepEqual(await download(message), fileOf({ kind }).bytes, kind)
    }
  })

  it('carry a caption, a name and any bytes', async t => {
    const { business, customer, gateway } = await scene(t)
    const bytes = Buffer.from('two pages').toString('base64')
    const id = await customer.sendContent(business, { kind: 'document', bytes, mimetype: 'text/plain', fileName: 'plan.txt', caption: 'my plan' })
    const message = await arrival(gateway, id)
    const document = message.message?.documentWithCaptionMessage?.message?.documentMessage
    assert.deepEqual([document?.fileName, document?.mimetype, document?.caption], ['plan.txt', 'text/plain', 'my plan'])
    assert.equal((await download(message)).toString(), 'two pages')
  })

  it('may be large', async t => {
    const { business, customer, gateway } = await scene(t)
    const size = 5_000_001
    const id = await customer.sendContent(business, { kind: 'video', size })
    const message = await arrival(gateway, id)
    assert.equal(Number(message.message?.videoMessage?.fileLength), size)
    assert.equal((await download(message)).length, size)
  })

  for (const [fault, status] of [['missing', 404], ['gone', 410]] as const) {
    it(`are ${fault} when told so`, async t => {
      const { business, customer, gateway, simulator } = await scene(t)
      const message = await arrival(gateway, await customer.sendContent(business, { kind: 'image' }))
      simulator.setFaults({ mediaDownload: fault })
      await assert.rejects(download(message), (error: { output?: { statusCode: number } }) => error.output?.statusCode === status)
      simulator.clearFaults()
      assert.deepEqual(await download(message), fileOf({ kind: 'image' }).bytes)
    })
  }

  it('come with other bytes when told so', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    const message = await arrival(gateway, await customer.sendContent(business, { kind: 'image' }))
    simulator.setFaults({ mediaDownload: 'wrong' })
    // Baileys checks neither the authentication code nor a hash.
    assert.notDeepEqual(await download(message).catch(() => null), fileOf({ kind: 'image' }).bytes)
  })

  it('come slowly, never, or without end when told so', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    const message = await arrival(gateway, await customer.sendContent(business, { kind: 'document', size: 200 }))
    const url = `https://mmg.whatsapp.net${message.message?.documentMessage?.directPath ?? ''}`

    simulator.setFaults({ mediaDownload: 'endless' })
    let length = 0
    for await (const part of (await fetch(url)).body ?? []) {
      length += (part as Uint8Array).length
      if (length > 3_000_000) break // leaving the loop hangs up
    }
    assert.ok(length > 3_000_000)

    simulator.setFaults({ mediaDownload: 'stalled' })
    const stalled = await fetch(url, { signal: AbortSignal.timeout(300) })
    assert.equal(stalled.status, 200)
    await assert.rejects(stalled.arrayBuffer(), { name: 'TimeoutError' })

    simulator.setFaults({ mediaDownload: 'slow' })
    const started = performance.now()
    await (await fetch(url)).arrayBuffer()
    assert.ok(performance.now() - started > 1_000)
  })
})

describe('Files to customers', () => {
  it('are uploaded by Baileys, downloaded and verified by the customer\'s phone', async t => {
    const { customer, gateway } = await scene(t)
    const file = Buffer.alloc(100_000, 'kesher ')
    await gateway.socket.sendMessage(customer.lidJid, { document: file, mimetype: 'application/pdf', fileName: 'offer.pdf', caption: 'as promised' })
    await gateway.socket.sendMessage(customer.lidJid, { audio: fileOf({ kind: 'voice' }).bytes, mimetype: 'audio/ogg; codecs=opus', ptt: true, seconds: 2 })

    const [document, voice] = await eventually('both', () => customer.inbox.total === 2 && customer.inbox.after())
    assert.deepEqual(document?.content, {
      kind: 'document', mimetype: 'application/pdf', fileName: 'offer.pdf', caption: 'as promised', size: file.length,
    })
    assert.equal(document.text, 'as promised')
    assert.deepEqual(voice?.content, { kind: 'voice', mimetype: 'audio/ogg; codecs=opus', seconds: 2, size: fileOf({ kind: 'voice' }).bytes.length })
    assert.deepEqual(await customer.fileIn(document.id), { mimetype: 'application/pdf', bytes: file })
    await assert.rejects(customer.fileIn('nobody'), NotFoundError)
  })

  it('cannot be sent when uploads are refused', async t => {
    const { customer, gateway, simulator } = await scene(t)
    simulator.setFaults({ mediaUpload: 'refused' })
    await assert.rejects(gateway.socket.sendMessage(customer.lidJid, { image: fileOf({ kind: 'image' }).bytes }), /upload failed/)
    assert.equal(customer.inbox.total, 0)
  })

  it('cannot be sent within the deadline when uploads are never answered', async t => {
    const { customer, gateway, simulator } = await scene(t)
    simulator.setFaults({ mediaUpload: 'stalled' })
    await assert.rejects(
      gateway.socket.sendMessage(customer.lidJid, { image: fileOf({ kind: 'image' }).bytes }, { mediaUploadTimeoutMs: 300 }), /upload failed/)
  })
})

describe('The owner\'s phone', () => {
  it('sends files, too', async t => {
    const { business, customer, gateway } = await scene(t)
    const content: Content = { kind: 'image', caption: 'the garden' }
    const id = await business.sendContent(customer, content)
    const message = await arrival(gateway, id)
    assert.equal(message.key.fromMe, true)
    assert.equal(message.message?.imageMessage?.caption, 'the garden')
    assert.deepEqual(await download(message), fileOf({ kind: 'image' }).bytes)
    assert.equal(customer.inbox.after().at(0)?.content.kind, 'image')
  })
})

describe('A sealed file', () => {
  it('opens only as it was sealed', async () => {
    const { bytes, ...file } = await sealFile(Buffer.from('hello'), 'image')
    assert.equal((await openFile(bytes, file, 'image')).toString(), 'hello')
    await assert.rejects(openFile(bytes, file, 'video'), /authentication code is wrong/)
    await assert.rejects(openFile(Buffer.concat([bytes, bytes]), file, 'image'), /not the one that was sent/)
    await assert.rejects(openFile(bytes, { ...file, fileSha256: Buffer.alloc(32) }, 'image'), /hash is wrong/)
    await assert.rejects(openFile(bytes, { ...file, fileLength: 4 }, 'image'), /has 5 bytes, the message says 4/)
  })
})
