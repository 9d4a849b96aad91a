import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { proto } from '@whiskeysockets/baileys'
import { eventually } from './support/eventually.js'
import { scene } from './support/scene.js'

const { CIPHERTEXT } = proto.WebMessageInfo.StubType

describe('Retry receipts', () => {
  for (const addressing of ['lid', 'phone'] as const) {
    it(`of a customer's phone make Baileys send again under the same id, by ${addressing}`, async t => {
      const { customer, gateway } = await scene(t, { customer: { failDecrypt: 1, addressing } })

      const id = await gateway.say(customer.jid(addressing), 'hello')

      const [message] = await customer.inbox.waitAfter(0, 30_000)
      assert.equal(message?.id, id)
      assert.equal(customer.copies.get(id), 2)
      assert.equal(customer.retryRequests, 1)
      assert.equal(customer.undecryptable, 0)

      await gateway.say(customer.jid(addressing), 'and again')
      const [next] = await customer.inbox.waitAfter(1, 30_000)
      assert.equal(next?.text, 'and again')
      assert.equal(customer.copies.get(next.id), 1)
    })

    it(`of Baileys make the customer's phone send again under the same id, by ${addressing}`, async t => {
      const { business, customer, gateway } = await scene(t, { customer: { addressing } })
      await customer.say(business, 'hi')
      await gateway.hears('hi')

      const id = await customer.say(business, 'garbled', { corrupt: true })

      assert.equal((await gateway.hears('garbled')).message.key.id, id)
      assert.equal(customer.resent, 1)
      await customer.say(business, 'and on')
      await gateway.hears('and on')
      await eventually('nothing left unconfirmed', () => business.devices.get(1)?.unconfirmed === 0)
      assert.equal(business.counts.refused, 1)
    })
  }

  it('of a device that lost its sessions are answered in a new session', async t => {
    const { business, customer, gateway } = await scene(t)
    await customer.say(business, 'hi')
    await gateway.hears('hi')
    const lost = [`${customer.phone}.0`, `${customer.lid}_1.0`]
    await gateway.auth.keys.set({ session: Object.fromEntries(lost.map(address => [address, null])) })
    await gateway.stop()
    await gateway.open()

    await customer.say(business, 'do you know me?')

    await gateway.hears('do you know me?')
    assert.ok(customer.resent >= 1)
    await gateway.say(customer.lidJid, 'yes')
    await eventually('the answer', () => customer.inbox.total === 1)
  })

  it('stay unanswered by a customer who is told so', async t => {
    const { business, customer, gateway } = await scene(t, { customer: { answersRetries: false } })
    await customer.say(business, 'garbled', { corrupt: true })
    await eventually('the retry receipt', () => customer.receipts.after().some(({ type }) => type === 'retry'))
    assert.equal(customer.resent, 0)
    await eventually('the stub', () => gateway.received.some(({ message }) => message.messageStubType === CIPHERTEXT))
  })

  it('end after five for a message that never becomes readable', async t => {
    const { customer, gateway } = await scene(t, { customer: { failDecrypt: 1_000 } })
    const id = '3EB0BBBBBBBBBBBBBBBB'
    for (let copy = 1; copy <= 7; copy++) await gateway.say(customer.lidJid, 'hello', id)
    await eventually('all copies', () => (customer.copies.get(id) ?? 0) >= 7)
    assert.equal(customer.retryRequests, 5)
    assert.equal(customer.inbox.total, 0)
  })

  it('follow a message that a broken gateway encrypted with an old ratchet, and count it', async t => {
    const { business, customer, gateway } = await scene(t)
    await gateway.say(customer.lidJid, 'one')
    await customer.say(business, 'ok')
    await gateway.hears('ok')
    const address = `${customer.lid}_1.0`
    const { [address]: old } = await gateway.auth.keys.get('session', [address])
    assert.ok(old)
    await gateway.say(customer.lidJid, 'two')
    await eventually('two messages', () => customer.inbox.total === 2)
    await gateway.auth.keys.set({ session: { [address]: old } })
    await gateway.stop()
    await gateway.open()

    await gateway.say(customer.lidJid, 'three')

    await eventually('the third', () => customer.inbox.total === 3)
    assert.equal(customer.undecryptable, 1)
    assert.equal(customer.retryRequests, 1)
  })
})
