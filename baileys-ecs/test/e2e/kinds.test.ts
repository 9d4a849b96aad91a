import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { MessageReceived } from '@kesher/contracts'
import { MediaBucket } from '../../src/store/media.js'
import { createBucket, type TestBucket } from '../support/bucket.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

async function paired(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<Scene & { readonly api: Api; readonly bucket: TestBucket }> {
  const bucket = await createBucket(emulator.url)
  const scene = await createScene(t, emulator, { MEDIA_BUCKET: bucket.name, ...settings })
  const api = await scene.start()
  await scene.pair(api)
  return Object.assign(scene, { api, bucket })
}

const byId = (scene: Scene, id: string): Promise<MessageReceived> => eventually(`message ${id}`, () =>
  scene.webhook.messages().find(({ messageId }) => messageId === id))
const hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('every kind of message', () => {
  it('of a customer and of the owner comes as what it is: live, as backlog, by LID and by phone', async t => {
    const scene = await paired(t)
    const { customer, business } = scene
    const target = await customer.say(business, 'ten o\'clock')
    const ownerSaid = await business.say(customer, 'gladly')
    const say = async (addressing: 'lid' | 'phone'): Promise<Record<string, MessageReceived['content']>> => {
      const ids = {
        edit: await customer.sendContent(business, { kind: 'edit', target, text: 'eleven' }, { addressing }),
        reaction: await customer.sendContent(business, { kind: 'reaction', target: ownerSaid, emoji: '👍' }, { addressing }),
        place: await customer.sendContent(business, { kind: 'location', latitude: 32.08, longitude: 34.78, name: 'here' }, { addressing }),
        cards: await customer.sendContent(business, { kind: 'contacts', contacts: [{ name: 'Noa', phone: '972500000000' }] }, { addressing }),
        button: await customer.sendContent(business, { kind: 'button-reply', id: 'b', text: 'Yes', style: 'interactive' }, { addressing }),
        list: await customer.sendContent(business, { kind: 'list-reply', id: 'l', title: 'Haircut' }, { addressing }),
        poll: await customer.sendContent(business, { kind: 'poll', question: 'when?', options: ['a', 'b'] }, { addressing }),
        unknown: await customer.sendContent(business, { kind: 'unknown' }, { addressing }),
        image: await customer.sendContent(business, { kind: 'image', caption: 'my hair', bytes: Buffer.from('a picture').toString('base64') }, { addressing, viewOnce: true }),
        voice: await customer.sendContent(business, { kind: 'voice', seconds: 7 }, { addressing, expiration: 86_400 }),
        document: await customer.sendContent(business, { kind: 'document', fileName: 'a.pdf', caption: 'see' }, { addressing }),
        sticker: await customer.sendContent(business, { kind: 'sticker' }, { addressing }),
        ownerEdit: await business.sendContent(customer, { kind: 'edit', target: ownerSaid, text: 'very gladly' }),
        ownerReaction: await business.sendContent(customer, { kind: 'reaction', target, emoji: '🙏' }),
        deletion: await customer.sendContent(business, { kind: 'delete', target }, { addressing }),
      }
      return Object.fromEntries(await Promise.all(Object.entries(ids).map(async ([name, id]) => {
        if (!business.connected) return [name, { kind: 'deletion', targetId: id }] as const
        const { content, chat } = await byId(scene, id)
        assert.deepEqual([chat.lid, chat.phoneJid], [customer.lidJid, customer.phoneJid], name)
        return [name, content] as const
      })))
    }
    const live = await say('lid')
    const key = (bytes: Uint8Array): string => `media/${TENANT}/${new Date().toISOString().slice(0, 7)}/${hex(bytes)}`
    const picture = Buffer.from('a picture')
    assert.deepEqual(live['image'], { kind: 'image', mediaType: 'image/jpeg', bytes: picture.length, caption: 'my hair', objectKey: key(picture), sha256: hex(picture) })
    assert.deepEqual(live['edit'], { kind: 'edit', targetId: target, text: 'eleven' })
    assert.deepEqual(live['reaction'], { kind: 'reaction', targetId: ownerSaid, targetFromMe: true, emoji: '👍' })
    assert.deepEqual(live['ownerReaction'], { kind: 'reaction', targetId: target, targetFromMe: false, emoji: '🙏' })
    assert.deepEqual(live['ownerEdit'], { kind: 'edit', targetId: ownerSaid, text: 'very gladly' })
    assert.deepEqual(live['deletion'], { kind: 'deletion', targetId: target })
    assert.deepEqual(Object.values(live).map(({ kind }) => kind), [
      'edit', 'reaction', 'location', 'contacts', 'choice', 'choice', 'unsupported', 'unsupported', 'image', 'audio', 'document', 'sticker', 'edit', 'reaction', 'deletion',
    ])
    assert.equal(scene.webhook.messages().find(({ content }) => content.kind === 'audio')?.disappearingSeconds, 86_400)
    const bucket = new MediaBucket({ bucket: scene.bucket.name, region: 'us-east-1', endpoint: emulator.url })
    const stored = await bucket.get(key(picture), 100)
    assert.deepEqual([Buffer.from(stored.bytes), stored.mediaType], [picture, 'image/jpeg'])
    bucket.close()

    const before = scene.webhook.messages().length
    await scene.api.stop()
    await eventually('the end of the session', () => !business.connected)
    const kinds = Object.keys(await say('phone')).length
    await (await scene.start()).canSend()
    const came = await eventually('the backlog', () => scene.webhook.messages().length >= before + kinds && scene.webhook.messages().slice(before))
    assert.deepEqual(came.map(({ content }) => content.kind), Object.values(live).map(({ kind }) => kind))
    assert.ok(came.every(({ backlog, chat }) => backlog && chat.lid === customer.lidJid && chat.phoneJid === customer.phoneJid))
  })

  it('says what it answers', async t => {
    const scene = await paired(t)
    const asked = await scene.business.say(scene.customer, 'at ten?')
    const id = await scene.customer.sendContent(scene.business, { kind: 'text', text: 'yes' }, { quote: { id: asked } })
    assert.deepEqual((await byId(scene, id)).quoted, { messageId: asked, fromMe: true, text: 'at ten?' })
  })
})

describe('a file', () => {
  const FAST = { MEDIA_MAX_BYTES: '100000', MEDIA_DEADLINE_MS: '4000' }

  it('that is damaged, gone, endless, too large or elsewhere is missing with its reason, and the chat goes on', async t => {
    const scene = await paired(t, FAST)
    const { customer, business, simulator } = scene
    const missing = async (id: string): Promise<string | null | undefined> => {
      const { content } = await byId(scene, id)
      assert.ok('mediaType' in content)
      assert.equal(content.objectKey, undefined)
      return content.missing
    }
    const under = async (fault: 'wrong' | 'missing' | 'endless'): Promise<string | null | undefined> => {
      simulator.setFaults({ mediaDownload: fault })
      const reason = await missing(await customer.sendContent(business, { kind: 'image' }))
      simulator.setFaults({ mediaDownload: null })
      return reason
    }
    assert.match(await under('endless') ?? '', /larger than 97 KB/)
    assert.match(await under('wrong') ?? '', /damaged|in time/)
    assert.match(await missing(await customer.sendContent(business, { kind: 'document', size: 200_000 })) ?? '', /larger/)
    const elsewhere = { mimetype: 'image/png', mediaKey: Buffer.alloc(32, 1).toString('base64') }
    for (const address of [
      { url: 'http://169.254.170.2/v2/credentials' }, { directPath: '@127.0.0.1/x' }, { directPath: '.evil.example/x' }, { url: 'https://mmg.whatsapp.net:8443/x' }, {},
    ]) {
      const id = await customer.sendContent(business, { kind: 'proto', message: { imageMessage: { ...elsewhere, ...address, fileLength: '2147483648'.slice(0, 3) } } })
      assert.match(await missing(id) ?? '', /not on WhatsApp's servers/)
    }
    const huge = await customer.sendContent(business, { kind: 'proto', message: { videoMessage: { ...elsewhere, directPath: '/x', fileLength: '2147483648' } } })
    assert.match(await missing(huge) ?? '', /larger/)
    const id = await customer.say(business, 'still here')
    await byId(scene, id)
    assert.deepEqual(await scene.bucket.keys(), [])
  })

  it('that never comes holds up its own chat for its deadline and no other', async t => {
    const scene = await paired(t, FAST)
    const other = scene.simulator.addCustomer({ phone: '972529999999', name: 'Noa' })
    scene.simulator.setFaults({ mediaDownload: 'stalled' })
    const stalled = await scene.customer.sendContent(scene.business, { kind: 'voice' })
    const behind = await scene.customer.say(scene.business, 'behind it')
    const beside = await other.say(scene.business, 'beside it')
    await byId(scene, beside)
    assert.ok(!scene.webhook.messages().some(({ messageId }) => messageId === stalled || messageId === behind))
    await byId(scene, behind)
    assert.deepEqual(scene.webhook.messages().map(({ messageId }) => messageId).filter(id => id !== beside), [stalled, behind])
    assert.match(String(((await byId(scene, stalled)).content as { missing?: string }).missing), /in time|too slow/)
  })

  it('is fetched from the journal alone after a restart', async t => {
    const scene = await paired(t, { ...FAST, MEDIA_DEADLINE_MS: '60000' })
    scene.simulator.setFaults({ mediaDownload: 'stalled' })
    const id = await scene.customer.sendContent(scene.business, { kind: 'document', fileName: 'a.pdf' })
    await eventually('the row', async () => (await scene.table.rows(`JOURNAL#${TENANT}`)).some(({ sk }) => String(sk).endsWith(`#${id}`)))
    await scene.api.stop()
    scene.simulator.setFaults({ mediaDownload: null })
    await scene.start()
    const { content } = await byId(scene, id)
    assert.ok('mediaType' in content)
    assert.deepEqual(await scene.bucket.keys(), [content.objectKey])
  })

  it('that the owner sends is fetched as a customer\'s is', async t => {
    const scene = await paired(t, FAST)
    const id = await scene.business.sendContent(scene.customer, { kind: 'image' })
    const { fromMe, content } = await byId(scene, id)
    assert.ok(fromMe && 'mediaType' in content)
    assert.deepEqual(await scene.bucket.keys(), [content.objectKey])
  })
})
