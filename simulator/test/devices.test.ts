import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jidNormalizedUser } from '@whiskeysockets/baileys'
import { NotFoundError } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { scene } from './support/scene.js'

describe('A customer with several devices', () => {
  for (const addressing of ['lid', 'phone'] as const) {
    it(`gets each message on all of them, and writes from each, by ${addressing}`, async t => {
      const { business, customer, gateway } = await scene(t, { customer: { addressing } })
      const web = customer.linkDevice()
      await customer.say(business, 'from the phone')
      await customer.say(business, 'from the web', { device: web })
      const { message } = await gateway.hears('from the web')
      assert.equal(jidNormalizedUser(message.key.remoteJid ?? ''), customer.jid(addressing))

      const id = await gateway.say(customer.jid(addressing), 'to all of you')

      await eventually('the companion', () => customer.heardBy.get(web)?.includes(id))
      assert.deepEqual(customer.inbox.after().map(({ text }) => text), ['to all of you'])
      assert.equal(customer.undecryptable, 0)
      await eventually('receipts for both', () => customer.receipts.total === 2)
    })
  }

  it('tells Baileys of a device that is linked and of one that is unlinked', async t => {
    const { business, customer, gateway } = await scene(t)
    await gateway.say(customer.lidJid, 'one device')
    const web = customer.linkDevice(business)
    await eventually('the notification', () => gateway.simulator.received('ack').some(({ stanza }) => stanza.attrs.class === 'notification'))
    const id = await gateway.say(customer.lidJid, 'two devices')
    await eventually('the new device', () => customer.heardBy.get(web)?.includes(id))

    customer.unlinkDevice(web, business)
    await gateway.say(customer.lidJid, 'one again')
    await eventually('all on the phone', () => customer.inbox.total === 3)
    assert.throws(() => { customer.unlinkDevice(web) }, NotFoundError)
    assert.throws(() => customer.say(business, 'x', { device: web }), NotFoundError)
  })

  it('asks again on the device that could not read, and Baileys sends again', async t => {
    const { business, customer, gateway } = await scene(t)
    const web = customer.linkDevice()
    await customer.say(business, 'hi', { device: web, corrupt: true })
    await gateway.hears('hi')
    assert.equal(customer.resent, 1)
  })
})

describe('A customer with a new phone', () => {
  it('reads and writes with new keys', async t => {
    const { business, customer, gateway } = await scene(t)
    await customer.say(business, 'old phone')
    await gateway.hears('old phone')
    await gateway.say(customer.lidJid, 'to the old phone')
    await customer.inbox.waitAfter(0, 30_000)

    customer.changePhone(business)
    await customer.say(business, 'new phone')
    await gateway.hears('new phone')
    await gateway.say(customer.lidJid, 'to the new phone')
    await eventually('the answer', () => customer.inbox.after().some(({ text }) => text === 'to the new phone'))
  })

  it('is told again what was encrypted for the old one', async t => {
    const { customer, gateway } = await scene(t)
    await gateway.say(customer.lidJid, 'to the old phone')
    await customer.inbox.waitAfter(0, 30_000)
    customer.changePhone() // nobody was told yet
    await gateway.say(customer.lidJid, 'encrypted for the old phone')
    await eventually('the second try', () => customer.inbox.after().some(({ text }) => text === 'encrypted for the old phone'))
    assert.ok(customer.retryRequests >= 1)
  })
})
