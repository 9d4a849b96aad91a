import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { SendCommand } from '@kesher/contracts'
import { MediaBucket } from '../../src/store/media.js'
import { createBucket } from '../support/bucket.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

interface Furnished extends Scene {
  readonly api: Api
  /** Puts a file into the bucket and gives its content for a command. */
  readonly file: (kind: File['kind'], mediaType: string, bytes: Buffer, more?: Partial<File>) => Promise<File>
  /** What the customer's phone shows of the `n`th message, from 0. */
  readonly shown: (n: number) => Promise<unknown>
}
type File = Extract<SendCommand['content'], { objectKey?: unknown }>

async function paired(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<Furnished> {
  const { name } = await createBucket(emulator.url)
  const bucket = new MediaBucket({ bucket: name, region: 'us-east-1', endpoint: emulator.url })
  const scene = await createScene(t, emulator, { MEDIA_BUCKET: name, ...settings })
  const api = await scene.start()
  await scene.pair(api)
  return Object.assign(scene, {
    api,
    file: async (kind: File['kind'], mediaType: string, bytes: Buffer, more: Partial<File> = {}): Promise<File> => {
      const hash = createHash('sha256').update(bytes)
      const objectKey = `media/${TENANT}/${kind}`
      await bucket.put(objectKey, { bytes, mediaType }, hash.copy().digest('base64'))
      return { kind, mediaType, objectKey, bytes: bytes.length, sha256: hash.digest('hex'), ...more }
    },
    shown: async (n: number) => (await eventually(`message ${n}`, () => scene.customer.inbox.after()[n])).content,
  })
}

const onTheWire = ({ simulator }: Scene, id: string): number =>
  simulator.received('message').filter(({ stanza }) => stanza.attrs['id'] === id).length

describe('each kind of message', () => {
  it('arrives as what it is, quoting what it answers, with the chat\'s timer', async t => {
    const scene = await paired(t)
    const { api, customer, business } = scene
    const question = await customer.say(business, 'where are you?')
    const send = async (content: SendCommand['content'], more: Partial<SendCommand> = {}): Promise<void> => {
      const { result } = await api.send(await scene.command('', { content, ...more }))
      assert.equal(result.outcome, 'sent', JSON.stringify(result))
    }
    const dressed = { quoted: { messageId: question, fromMe: false, text: 'where are you?' }, disappearingSeconds: 86_400 }
    const context = { quoted: question, expiration: 86_400 }

    await send({ kind: 'text', text: 'Here: https://example.org/map' }, dressed)
    assert.deepEqual(await scene.shown(0), { kind: 'text', text: 'Here: https://example.org/map', ...context })
    await send({ kind: 'location', latitude: 32.08, longitude: 34.78, name: 'The shop', address: 'Dizengoff 1' }, dressed)
    assert.deepEqual(await scene.shown(1), { kind: 'location', latitude: 32.08, longitude: 34.78, name: 'The shop', address: 'Dizengoff 1', ...context })
    const cards = ['Noa', 'Ron'].map(name => ({ name, vcard: `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nEND:VCARD` }))
    const [noa, ron] = cards
    assert.ok(noa && ron)
    await send({ kind: 'contacts', contacts: [noa] }, dressed)
    assert.deepEqual(await scene.shown(2), { kind: 'contacts', contacts: [noa], ...context })
    await send({ kind: 'contacts', contacts: [noa, ron] })
    assert.deepEqual(await scene.shown(3), { kind: 'contacts', contacts: cards })
    await send({ kind: 'reaction', targetId: question, targetFromMe: false, emoji: '👍' }, dressed)
    assert.deepEqual(await scene.shown(4), { kind: 'reaction', target: question, emoji: '👍' })

    await send(await scene.file('image', 'image/jpeg', Buffer.from('a picture'), { caption: 'the door' }), dressed)
    assert.deepEqual(await scene.shown(5), { kind: 'image', mimetype: 'image/jpeg', caption: 'the door', size: 9, ...context })
    await send(await scene.file('document', 'application/pdf', Buffer.from('%PDF-1.7'), { fileName: 'offer.pdf' }))
    assert.deepEqual(await scene.shown(6), { kind: 'document', mimetype: 'application/pdf', fileName: 'offer.pdf', size: 8 })
    await send(await scene.file('audio', 'audio/ogg; codecs=opus', Buffer.from('OggS'), { voice: true, seconds: 7 }))
    assert.deepEqual(await scene.shown(7), { kind: 'voice', mimetype: 'audio/ogg; codecs=opus', seconds: 7, size: 4 })
    for (const { stanza } of scene.simulator.received('message')) assert.equal(stanza.attrs['to'], customer.lidJid)
  })

  it('of a file is uploaded once: a repeat of its id carries the same keys', async t => {
    const scene = await paired(t, { SEND_DEADLINE_MS: '2500' })
    const content = await scene.file('document', 'application/pdf', Buffer.from('%PDF-1.7'), { fileName: 'offer.pdf' })
    const command = await scene.command('', { content })
    scene.simulator.setFaults({ ignore: ['message'] })
    assert.equal((await scene.api.send(command)).result.outcome, 'unknown')
    const row = await scene.table.rows(`SENT#${TENANT}`)
    scene.simulator.clearFaults()
    scene.simulator.setFaults({ mediaUpload: 'refused' }) // a second upload would fail
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
    assert.deepEqual((await scene.table.rows(`SENT#${TENANT}`)).map(({ content: bytes }) => bytes), row.map(({ content: bytes }) => bytes))
    assert.deepEqual(await scene.shown(0), { kind: 'document', mimetype: 'application/pdf', fileName: 'offer.pdf', size: 8 })
  })

  it('of a file that is missing or another one is refused for good; one that cannot be uploaded waits', async t => {
    const scene = await paired(t)
    const good = await scene.file('image', 'image/jpeg', Buffer.from('a picture'))
    const wrong: [File, RegExp][] = [
      [{ ...good, objectKey: 'media/nothing/here' }, /no such object/],
      [{ ...good, sha256: '0'.repeat(64) }, /not the one/],
      [{ kind: 'image', mediaType: 'image/jpeg', missing: 'too large' }, /no file/],
    ]
    for (const [content, reason] of wrong) {
      const { status, result } = await scene.api.send(await scene.command('', { content }))
      assert.equal(status, 422)
      assert.ok(result.outcome === 'refused' && result.permanent)
      assert.match(result.reason, reason)
    }
    scene.simulator.setFaults({ mediaUpload: 'refused' })
    const command = await scene.command('', { content: good })
    assert.equal((await scene.api.send(command)).result.outcome, 'unavailable')
    assert.equal(onTheWire(scene, command.messageId), 0)
    scene.simulator.clearFaults()
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
  })
})

describe('the limits of a number', () => {
  it('hold messages back, tell for how long, and let a person pass', async t => {
    const scene = await paired(t, { MESSAGES_A_MINUTE: '2' })
    const outcomes = []
    for (const text of ['one', 'two', 'three']) outcomes.push((await scene.api.send(await scene.command(text))).result)
    const [one, two, three] = outcomes
    assert.deepEqual([one?.outcome, two?.outcome], ['sent', 'sent'])
    assert.ok(three?.outcome === 'unavailable' && three.paced === true)
    assert.ok(three.retryAfterMs > 30_000 && three.retryAfterMs <= 60_000, `${three.retryAfterMs}`)
    assert.equal((await scene.api.send(await scene.command('four', { author: 'person' }))).result.outcome, 'sent')
    assert.deepEqual(scene.customer.inbox.after().map(({ text }) => text), ['one', 'two', 'four'])
  })

  it('on new chats a day survive a restart; who wrote first is no new chat', async t => {
    const scene = await paired(t, { NEW_CHATS_A_DAY: '1' })
    const [first, second, third] = ['1', '2', '3'].map(n => scene.simulator.addCustomer({ phone: `97252333000${n}` }))
    assert.ok(first && second && third)
    await third.say(scene.business, 'hi, are you open?')
    await eventually('the question', () => scene.webhook.texts().includes('hi, are you open?'))
    const to = async (api: Api, chatJid: string): Promise<string> => {
      const { result } = await api.send(await scene.command('hello', { chatJid }))
      assert.ok(result.outcome !== 'unavailable' || (result.paced === true && result.retryAfterMs > 80_000_000), JSON.stringify(result))
      return result.outcome
    }
    assert.equal(await to(scene.api, first.phoneJid), 'sent')
    assert.equal(await to(scene.api, first.lidJid), 'sent', 'the same person')
    assert.equal(await to(scene.api, second.lidJid), 'unavailable')
    await scene.api.stop()
    const again = await scene.start()
    await again.canSend()
    assert.equal(await to(again, second.lidJid), 'unavailable')
    assert.equal(await to(again, third.phoneJid), 'sent')
  })
})
