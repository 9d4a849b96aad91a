import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type WAMessage, downloadMediaMessage, proto } from '@whiskeysockets/baileys'
import { fileOf } from '../src/content/samples.js'
import { eventually } from './support/eventually.js'
import { type Gateway, wordsOf } from './support/gateway.js'
import { type Scene, scene } from './support/scene.js'

const arrival = (gateway: Gateway, id: string): Promise<WAMessage> =>
  eventually(`message ${id}`, () => gateway.received.find(({ message }) => message.key.id === id)?.message)

/** An image that came while the media servers still had it. */
async function expired(at: Scene): Promise<WAMessage> {
  const message = await arrival(at.gateway, await at.customer.sendContent(at.business, { kind: 'image' }))
  at.simulator.expireFiles()
  await assert.rejects(downloadMediaMessage(message, 'buffer', {}), (error: { output?: { statusCode: number } }) => error.output?.statusCode === 410)
  return message
}

describe('A file that is too old for the media servers', () => {
  it('is uploaded again by the owner\'s phone when Baileys asks for it', async t => {
    const at = await scene(t)
    const message = await expired(at)
    const updated = await at.gateway.socket.updateMediaMessage(message)
    assert.deepEqual(await downloadMediaMessage(updated, 'buffer', {}), fileOf({ kind: 'image' }).bytes)
    assert.deepEqual(at.business.requests.after().map(({ what, id }) => [what, id]), [['file', message.key.id]])
  })

  for (const [uploadsAgain, status] of [['not-found', 404], ['decryption-error', 412], ['general-error', 418], ['garbled', undefined]] as const) {
    it(`is not, when the phone answers "${uploadsAgain}"`, async t => {
      const at = await scene(t)
      const message = await expired(at)
      await at.business.change({ uploadsAgain })
      await assert.rejects(at.gateway.socket.updateMediaMessage(message), (error: { output?: { statusCode: number } }) => error.output?.statusCode === status)
    })
  }

  it('is uploaded once the phone is switched on', async t => {
    const at = await scene(t)
    const message = await expired(at)
    await at.business.change({ offline: true })
    const updating = at.gateway.socket.updateMediaMessage(message)
    await eventually('the request', () => at.business.requests.total === 1)
    await at.business.change({ offline: false })
    assert.deepEqual(await downloadMediaMessage(await updating, 'buffer', {}), fileOf({ kind: 'image' }).bytes)
  })
})

describe('A message that only the owner\'s phone got', () => {
  const readable = (gateway: Gateway, text: string): number => gateway.received.filter(({ message }) => wordsOf(message) === text).length

  for (const [passesOn, times] of [['once', 1], ['twice', 2]] as const) {
    it(`is passed on ${passesOn} when Baileys asks for it`, async t => {
      const { business, customer, gateway } = await scene(t)
      await business.change({ passesOn })
      const id = await customer.say(business, 'I saw your advertisement', { masked: 'ad' })
      const stub = await arrival(gateway, id)
      assert.equal(stub.messageStubType, proto.WebMessageInfo.StubType.CIPHERTEXT)
      await eventually('the message', () => readable(gateway, 'I saw your advertisement') === times)
      assert.deepEqual(business.requests.after().map(({ what, id: asked }) => [what, asked]), [['message', id]])
      await customer.say(business, 'and on')
      await gateway.hears('and on')
    })
  }

  it('is never asked for when it is to be seen once', async t => {
    const { business, customer, gateway } = await scene(t)
    const id = await customer.say(business, 'look quickly', { masked: 'view-once' })
    await customer.say(business, 'and on')
    await gateway.hears('and on')
    await eventually('nothing left unconfirmed', () => business.devices.get(1)?.unconfirmed === 0)
    assert.equal(gateway.received.some(({ message }) => message.key.id === id && message.message), false)
    assert.equal(business.requests.total, 0)
  })
})
