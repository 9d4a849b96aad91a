import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { proto } from '@whiskeysockets/baileys'
import type { MessageReceived, MessageStatus } from '@kesher/contracts'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { deferred } from '../../src/concurrency/deferred.js'
import { createScene, TENANT, type Api, type Scene } from '../support/scene.js'

const ProtocolType = proto.Message.ProtocolMessage.Type

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

async function paired(t: TestContext): Promise<Scene & { readonly api: Api }> {
  const scene = await createScene(t, emulator)
  const api = await scene.start()
  await scene.pair(api)
  return Object.assign(scene, { api })
}

const message = (scene: Scene, text: string): Promise<MessageReceived> => eventually(`"${text}" at the webhook`, () =>
  scene.webhook.messages().find(({ content }) => content.kind === 'text' && content.text === text))

describe('a number that is being linked', () => {
  it('shows a QR code that expires, restarts after the scan, and reports each state in its row and to the webhook', async t => {
    const scene = await createScene(t, emulator)
    const api = await scene.start()
    const { qr, expiresAt } = await api.qr()
    assert.match(qr, /#/)
    assert.ok(expiresAt > Date.now() + 30_000 && expiresAt <= Date.now() + 60_000)
    scene.business.scan(qr)
    const status = await api.canSend()
    assert.equal(status.phoneJid, scene.business.phoneJid)
    await eventually('the row', async () => (await scene.table.record(TENANT))?.['state'] === 'connected')
    await eventually('the events', () => scene.webhook.events.some(event => event.type === 'connection.updated' && event.state === 'connected'))
    const states = scene.webhook.events.flatMap(event => event.type === 'connection.updated' ? [event.state] : [])
    assert.deepEqual(states, ['connecting', 'pairing', 'connecting', 'connected'])
    const answer = await api.get(`/whatsapp/${TENANT}/qr`)
    assert.equal(answer.status, 404)
    assert.match(((await answer.json()) as { reason: string }).reason, /connected/)
  })
})

describe('a message of a customer', () => {
  it('names the customer by LID and by phone, whichever address it came by', async t => {
    const scene = await paired(t)
    const { lidJid, phoneJid } = scene.customer
    await scene.customer.say(scene.business, 'by lid', { addressing: 'lid' })
    await scene.customer.say(scene.business, 'by phone', { addressing: 'phone' })
    const byLid = await message(scene, 'by lid')
    const byPhone = await message(scene, 'by phone')
    assert.deepEqual(byLid.chat, { kind: 'direct', jid: lidJid, lid: lidJid, phoneJid })
    assert.deepEqual(byPhone.chat, { kind: 'direct', jid: phoneJid, lid: lidJid, phoneJid })
    assert.equal(byLid.fromMe, false)
    assert.equal(byLid.backlog, false)
    assert.equal(byLid.senderName, 'Dana')
    assert.equal(byLid.correlationId, byLid.messageId)
    assert.equal(byLid.sentAt % 1000, 0)
    await eventually('an empty journal', async () => (await scene.table.rows(`JOURNAL#${TENANT}`)).length === 0)
  })

  it('is in the journal before WhatsApp gets the receipt', async t => {
    const scene = await paired(t)
    scene.webhook.answer = () => 503
    const held = deferred<undefined>()
    let reached = false
    scene.aws.watch = async ({ operation, body }) => {
      if (operation !== 'TransactWriteItems' || !body.includes('"kind":{"S":"message"}')) return
      reached = true
      await held.promise
    }
    const id = await scene.customer.say(scene.business, 'hold on')
    await eventually('the journal write', () => reached)
    const receipts = (): number => scene.customer.receipts.after().filter(receipt => receipt.id === id).length
    await scene.customer.say(scene.business, 'another one behind it')
    assert.equal(receipts(), 0)
    held.resolve(undefined)
    await eventually('the receipt', () => receipts() > 0)
    const rows = await scene.table.rows(`JOURNAL#${TENANT}`)
    assert.ok(rows.some(({ sk }) => String(sk).endsWith(`#${id}`)))
  })

  it('keeps its order within the chat when a burst comes by phone from a stranger and the store is slow', async t => {
    const scene = await paired(t)
    scene.aws.latencyMs = [5, 50]
    scene.customer.settings.addressing = 'phone'
    const texts = Array.from({ length: 12 }, (_, i) => `burst ${i}`)
    for (const text of texts) await scene.customer.say(scene.business, text)
    await eventually('all of them', () => scene.webhook.texts().length >= texts.length)
    assert.deepEqual(scene.webhook.texts(), texts)
  })

  it('that waited on WhatsApp\'s server comes as backlog, in order', async t => {
    const scene = await paired(t)
    await scene.api.stop()
    await eventually('the end of the session', () => !scene.business.connected)
    const texts = Array.from({ length: 15 }, (_, i) => `waited ${i}`)
    for (const text of texts) await scene.customer.say(scene.business, text)
    const again = await scene.start()
    await again.canSend()
    await scene.customer.say(scene.business, 'live again')
    await message(scene, 'live again')
    assert.deepEqual(scene.webhook.texts(), [...texts, 'live again'])
    assert.deepEqual(scene.webhook.messages().map(({ backlog }) => backlog), [...texts.map(() => true), false])
  })

  it('that cannot be decrypted is noted, asked for again and comes once, under its own id', async t => {
    const scene = await paired(t)
    await scene.customer.say(scene.business, 'first')
    await message(scene, 'first')
    const id = await scene.customer.say(scene.business, 'broken', { corrupt: true })
    const received = await message(scene, 'broken')
    assert.equal(received.messageId, id)
    assert.equal(scene.webhook.messages().filter(({ messageId }) => messageId === id).length, 1)
    const noted = scene.webhook.messages().filter(({ messageId }) => messageId === `${id}.undecryptable`)
    assert.deepEqual(noted.map(({ content, correlationId }) => [content, correlationId]), [[{ kind: 'unsupported', what: 'undecryptable' }, id]])
  })

  it('that cannot be decrypted is in the journal before WhatsApp is asked again, and an answered request is no reason to lose it', async t => {
    const scene = await paired(t)
    await scene.customer.say(scene.business, 'first')
    await message(scene, 'first')
    scene.webhook.answer = () => 503
    scene.customer.settings.answersRetries = false
    const held = deferred<undefined>()
    let reached = false
    scene.aws.watch = async ({ operation, body }) => {
      if (operation !== 'TransactWriteItems' || !body.includes('.undecryptable')) return
      reached = true
      await held.promise
    }
    const id = await scene.customer.say(scene.business, 'never readable', { corrupt: true })
    await eventually('the journal write', () => reached)
    const asked = (): number => scene.customer.receipts.after().filter(receipt => receipt.id === id).length
    assert.equal(asked(), 0)
    held.resolve(undefined)
    await eventually('the request', () => asked() > 0)
    scene.webhook.answer = () => 200
    await eventually('the note', () => scene.webhook.messages().some(({ messageId }) => messageId === `${id}.undecryptable`))
  })

  it('of another kind is told as what it is', async t => {
    const scene = await paired(t)
    await scene.customer.send(scene.business, { reactionMessage: { text: '👍', key: { id: 'X', remoteJid: scene.business.phoneJid } } })
    await scene.customer.send(scene.business, { protocolMessage: { type: ProtocolType.MESSAGE_EDIT, key: { id: 'X' }, editedMessage: { conversation: 'edited text' } } })
    await scene.customer.send(scene.business, { protocolMessage: { type: ProtocolType.REVOKE, key: { id: 'X' } } })
    await scene.customer.send(scene.business, { ephemeralMessage: { message: { extendedTextMessage: { text: 'disappearing' } } } })
    await message(scene, 'disappearing')
    assert.deepEqual(scene.webhook.texts(), ['<reaction>', '<edit>', '<deletion>', 'disappearing'])
  })
})

describe('what is not a direct message of a customer', () => {
  it('comes with the kind of its chat: group, status, newsletter', async t => {
    const scene = await paired(t)
    await scene.customer.sayInGroup(scene.business, '120363000000000001@g.us', 'in a group')
    await scene.customer.postStatus(scene.business, 'a story')
    scene.business.showNewsletterPost('120363000000000002@newsletter', 'some news')
    assert.equal((await message(scene, 'in a group')).chat.kind, 'group')
    assert.equal((await message(scene, 'a story')).chat.kind, 'status')
    assert.equal((await message(scene, 'some news')).chat.kind, 'newsletter')
    assert.equal(scene.webhook.messages().length, 3)
  })

  it('an answer that the owner types on the phone is forwarded as fromMe, with the customer as its chat', async t => {
    const scene = await paired(t)
    const { lidJid, phoneJid } = scene.customer
    await scene.business.say(scene.customer, 'the owner speaking')
    const received = await message(scene, 'the owner speaking')
    assert.equal(received.fromMe, true)
    assert.deepEqual(received.chat, { kind: 'direct', jid: lidJid, lid: lidJid, phoneJid })
  })
})

describe('receipts', () => {
  it('of messages that we sent become status events; those of the owner\'s messages do not', async t => {
    const scene = await paired(t)
    await scene.customer.say(scene.business, 'hi')
    await message(scene, 'hi')
    await scene.business.say(scene.customer, 'typed by the owner')
    await message(scene, 'typed by the owner')
    scene.customer.settings.sendsReadReceipts = true
    const command = await scene.command('shalom')
    await eventually('the end of giving way to the owner', async () => (await scene.api.send(command)).status === 200)
    const statuses = (): MessageStatus[] => scene.webhook.events.filter(event => event.type === 'message.status')
    await eventually('delivered and read', () => statuses().length === 2)
    assert.deepEqual(statuses().map(({ messageId, status }) => [messageId, status]), [[command.messageId, 'delivered'], [command.messageId, 'read']])
    assert.equal(statuses()[0]?.chat.jid, scene.customer.lidJid)
    assert.equal(statuses()[0]?.correlationId, command.correlationId)
    // The gateway's own message never comes back as the owner's.
    assert.deepEqual(scene.webhook.texts(), ['hi', 'typed by the owner'])
  })
})
