import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { MessageReceived } from '@kesher/contracts'
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

type Paired = Scene & { readonly api: Api; readonly bucket: TestBucket }

/** No lease is to run out where the machine is busy: this is about what the phone is asked for. */
const PATIENT = { LEASE_MS: '120000' }

async function paired(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<Paired> {
  const bucket = await createBucket(emulator.url)
  const scene = await createScene(t, emulator, { ...PATIENT, MEDIA_BUCKET: bucket.name, ...settings })
  const api = await scene.start()
  await scene.pair(api)
  return Object.assign(scene, { api, bucket })
}

const find = (scene: Scene, id: string): MessageReceived | undefined => scene.webhook.messages().find(({ messageId }) => messageId === id)
const byId = (scene: Scene, id: string): Promise<MessageReceived> => eventually(`message ${id}`, () => find(scene, id))
const ids = (scene: Scene): string[] => scene.webhook.messages().map(({ messageId }) => messageId)
const inJournal = (scene: Scene, id: string): Promise<boolean> =>
  eventually(`the row of ${id}`, async () => (await scene.table.rows(`JOURNAL#${TENANT}`)).some(({ sk }) => String(sk).endsWith(`#${id}`)))
const asked = ({ business }: Scene, what: 'file' | 'message'): string[] => business.requests.after().filter(one => one.what === what).map(({ id }) => id)

describe('a file that WhatsApp\'s servers have no more', () => {
  /** A picture whose file is gone before anybody fetched it. */
  async function tooOld(scene: Scene): Promise<string> {
    const id = await scene.customer.sendContent(scene.business, { kind: 'image', caption: 'my hair' })
    scene.simulator.expireFiles()
    return id
  }

  async function missing(scene: Scene, id: string): Promise<string> {
    const { content } = await byId(scene, id)
    assert.ok(content.kind === 'image' && content.objectKey === undefined)
    return content.missing ?? ''
  }

  it('is uploaded again by the business\'s phone, and kept: of a customer and of the owner', async t => {
    const scene = await paired(t)
    const fromCustomer = await tooOld(scene)
    const fromOwner = await scene.business.sendContent(scene.customer, { kind: 'document' })
    scene.simulator.expireFiles()
    for (const id of [fromCustomer, fromOwner]) {
      const { content } = await byId(scene, id)
      assert.ok('mediaType' in content && content.objectKey != null, JSON.stringify(content))
      assert.ok((await scene.bucket.keys()).includes(content.objectKey))
    }
    assert.deepEqual(asked(scene, 'file'), [fromCustomer, fromOwner])
    assert.deepEqual(ids(scene), [fromCustomer, fromOwner])
  })

  it('is missing with its reason when the phone refuses, whatever it says, and the chat goes on', async t => {
    const scene = await paired(t)
    for (const uploadsAgain of ['not-found', 'decryption-error', 'general-error', 'garbled'] as const) {
      await scene.business.change({ uploadsAgain })
      assert.match(await missing(scene, await tooOld(scene)), /no longer on WhatsApp's servers, and the business's phone does not have it/)
    }
    await byId(scene, await scene.customer.say(scene.business, 'still here'))
    assert.equal(asked(scene, 'file').length, 4)
    assert.deepEqual(await scene.bucket.keys(), [])
  })

  it('holds up its own chat for its deadline and nobody else\'s file when the phone does not answer', async t => {
    const scene = await paired(t, { MEDIA_DEADLINE_MS: '3000' })
    const other = scene.simulator.addCustomer({ phone: '972529999999', name: 'Noa' })
    await scene.business.change({ offline: true })
    const gone = await Promise.all([0, 1, 2, 3].map(async n => scene.simulator.addCustomer({ phone: `97252888888${n}` }).sendContent(scene.business, { kind: 'image' })))
    const id = await tooOld(scene)
    const behind = await scene.customer.say(scene.business, 'behind it')
    const beside = await other.sendContent(scene.business, { kind: 'voice' })
    const { content } = await byId(scene, beside)
    assert.ok('mediaType' in content && content.objectKey != null)
    assert.ok(!ids(scene).includes(id) && !ids(scene).includes(behind))
    assert.match(await missing(scene, id), /did not answer/)
    await byId(scene, behind)
    for (const one of gone) assert.match(await missing(scene, one), /did not answer/)
  })

  it('is asked for as soon as there is a connection, after a restart and after a cut', async t => {
    const scene = await paired(t)
    scene.simulator.setFaults({ mediaDownload: 'stalled' })
    const id = await tooOldInJournal(scene)
    await scene.api.stop()
    scene.simulator.setFaults({ mediaDownload: null, refuseUpgrade: 503 })
    await scene.business.change({ offline: true })
    await scene.start()
    await eventually('a refused connection', () => scene.webhook.events.some(event => event.type === 'connection.updated' && event.state === 'disconnected'))
    assert.equal(find(scene, id), undefined)
    scene.simulator.setFaults({ refuseUpgrade: 0 })
    await eventually('the request', () => asked(scene, 'file').length > 0 && scene.business.connected)
    const before = asked(scene, 'file').length
    scene.business.disconnect('tcp')
    await eventually('the repeated request', () => asked(scene, 'file').length > before)
    await scene.business.change({ offline: false })
    const { content } = await byId(scene, id)
    assert.ok('mediaType' in content && content.objectKey != null)
  })

  async function tooOldInJournal(scene: Scene): Promise<string> {
    const id = await scene.customer.sendContent(scene.business, { kind: 'image' })
    await inJournal(scene, id)
    scene.simulator.expireFiles()
    return id
  }
})

describe('a message that only the business\'s phone could read', () => {
  const note = (id: string): string => `${id}.undecryptable`
  const noted = async (scene: Scene, id: string): Promise<void> => {
    assert.deepEqual((await byId(scene, note(id))).content, { kind: 'unsupported', what: 'undecryptable' })
  }

  it('is noted, passed on by the phone, and comes once, under its own id and with all its names, though it is passed on twice', async t => {
    const scene = await paired(t)
    await scene.business.change({ passesOn: 'twice' })
    const id = await scene.customer.sendContent(scene.business, { kind: 'text', text: 'how much is it?' }, { masked: 'ad', ad: { title: 'Haircut', url: 'https://example.com' } })
    await noted(scene, id)
    const { content, chat, senderName, correlationId } = await byId(scene, id)
    const { lidJid, phoneJid, name } = scene.customer
    assert.deepEqual([content, chat, senderName, correlationId], [{ kind: 'text', text: 'how much is it?' }, { kind: 'direct', jid: lidJid, lid: lidJid, phoneJid }, name, id])
    await byId(scene, await scene.customer.say(scene.business, 'hello?'))
    await eventually('the second copy to be confirmed', () => [...scene.business.devices.values()].every(({ unconfirmed }) => unconfirmed === 0))
    assert.deepEqual(ids(scene).slice(0, 2), [note(id), id])
    assert.equal(ids(scene).filter(one => one === id).length, 1)
    assert.deepEqual(asked(scene, 'message'), [id])
  })

  it('is journalled in the transaction of the ratchet that brought it', async t => {
    const scene = await paired(t)
    const bodies: string[] = []
    scene.aws.watch = ({ operation, body }) => {
      if (operation === 'TransactWriteItems') bodies.push(body)
      return Promise.resolve()
    }
    const id = await scene.customer.say(scene.business, 'how much is it?', { masked: 'ad' })
    await byId(scene, id)
    const written = bodies.filter(body => body.includes(`#${id}"`))
    assert.equal(written.length, 1)
    assert.match(written[0] ?? '', /"session#/)
  })

  it('comes when the phone is switched on, after a restart too', async t => {
    const scene = await paired(t)
    await scene.business.change({ offline: true })
    const id = await scene.customer.say(scene.business, 'how much is it?', { masked: 'ad' })
    await noted(scene, id)
    await eventually('the request', () => asked(scene, 'message').length === 1)
    await scene.api.stop()
    await (await scene.start()).canSend()
    await scene.business.change({ offline: false })
    const { content, chat } = await byId(scene, id)
    assert.deepEqual([content, chat.lid], [{ kind: 'text', text: 'how much is it?' }, scene.customer.lidJid])
  })

  it('stays a note when the phone does not have it, and the chat goes on', async t => {
    const scene = await paired(t)
    await scene.business.change({ passesOn: 'never' })
    const id = await scene.customer.say(scene.business, 'how much is it?', { masked: 'ad' })
    await noted(scene, id)
    await eventually('the request', () => asked(scene, 'message').length === 1)
    await byId(scene, await scene.customer.say(scene.business, 'hello?'))
    assert.equal(find(scene, id), undefined)
  })

  it('to be seen once is noted, and the phone is not asked for it', async t => {
    const scene = await paired(t)
    const id = await scene.customer.say(scene.business, 'look quickly', { masked: 'view-once' })
    await noted(scene, id)
    await byId(scene, await scene.customer.say(scene.business, 'and on'))
    assert.deepEqual([find(scene, id), asked(scene, 'message')], [undefined, []])
  })

  it('is asked for when the customer\'s phone does not send again what could not be decrypted', async t => {
    const scene = await paired(t)
    await byId(scene, await scene.customer.say(scene.business, 'first'))
    await scene.customer.change({ answersRetries: false })
    const id = await scene.customer.say(scene.business, 'damaged on the way', { corrupt: true })
    await noted(scene, id)
    assert.deepEqual((await byId(scene, id)).content, { kind: 'text', text: 'damaged on the way' })
    assert.deepEqual(asked(scene, 'message'), [id])
    assert.equal(ids(scene).filter(one => one === id).length, 1)
  })
})
