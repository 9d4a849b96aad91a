import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { wordsOf } from './support/gateway.js'
import { scene } from './support/scene.js'

describe('The fault', () => {
  it('latencyMs delays every answer, but not one after the other', async t => {
    const { customer, gateway, simulator } = await scene(t)
    await gateway.say(customer.lidJid, 'warm')
    simulator.setFaults({ latencyMs: 1_000 })
    const started = Date.now()
    const ids = ['3EB0000000000000000A', '3EB0000000000000000B', '3EB0000000000000000C', '3EB0000000000000000D']
    const acks = ids.map(async id => {
      await gateway.socket.waitForMessage(id, 30_000)
      return Date.now() - started
    })
    for (const id of ids) await gateway.say(customer.lidJid, 'slow', id)
    const [first = 0, ...others] = await Promise.all(acks)
    assert.ok(first >= 990)
    assert.ok(Math.max(...others) - first < 2_500) // one after the other they would take three seconds more
    await eventually('all messages', () => customer.inbox.total === 5)
    assert.deepEqual(customer.inbox.after(1).map(({ id }) => id), ids)
    simulator.clearFaults()
    assert.deepEqual(simulator.faults, NO_FAULTS)
  })

  it('hang freezes the server while the connection stays up', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    await gateway.say(customer.lidJid, 'warm')
    await customer.inbox.waitAfter(0, 30_000)
    simulator.setFaults({ hang: true })
    await customer.say(business, 'are you there?')
    await gateway.say(customer.lidJid, 'written into the void')
    await eventually('it to be read', () => simulator.received('message').length === 2)
    assert.equal(customer.inbox.total, 1)
    assert.equal(gateway.received.some(({ message }) => wordsOf(message) === 'are you there?'), false)
    assert.ok(business.connected)
    assert.equal(business.devices.get(1)?.unconfirmed, 1)

    business.disconnect('tcp')
    await gateway.closed()
    simulator.clearFaults()
    await gateway.open()

    await gateway.hears('are you there?')
  })

  it('dropAcks keeps the server\'s acknowledgement back, the message arrives all the same', async t => {
    // `waitForMessage` takes the customer's receipt for an ack, too; a phone that is off sends none.
    const { customer, gateway, simulator } = await scene(t, { customer: { offline: true } })
    simulator.setFaults({ dropAcks: true })
    const id = '3EB0CCCCCCCCCCCCCCCC'
    const ack = gateway.socket.waitForMessage(id, 1_000)
    await gateway.say(customer.lidJid, 'hello', id)
    assert.equal(await ack, undefined)
    await eventually('the message at the server', () => customer.waiting === 1)

    simulator.clearFaults()
    await customer.change({ offline: false })
    const second = gateway.socket.waitForMessage(id, 30_000)
    await gateway.say(customer.lidJid, 'hello', id)

    assert.ok(await second)
    await eventually('the second copy', () => customer.copies.get(id) === 2)
    assert.equal(customer.inbox.total, 1)
  })

  it('ackError refuses a message', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    simulator.setFaults({ ackError: '479' })
    const id = '3EB0DDDDDDDDDDDDDDDD'
    const ack = gateway.socket.waitForMessage(id, 30_000)
    await gateway.say(customer.lidJid, 'hello', id)
    const { attrs } = await ack as { attrs: Record<string, string> }
    assert.equal(attrs.error, '479')
    await eventually('the error status', () => gateway.statusesOf(id).includes(0))
    assert.equal(customer.inbox.total, 0)
    assert.equal(business.counts.sent, 0)
  })

  for (const failure of ['401', '403', '405', '503']) {
    it(`failure refuses the login with ${failure}`, async t => {
      const { gateway, simulator } = await scene(t)
      await gateway.stop()
      simulator.setFaults({ failure })
      gateway.connect()
      assert.equal(await gateway.closed(), Number(failure))
      simulator.clearFaults()
      await gateway.open()
    })
  }

  it('refuseUpgrade answers with HTTP and leaves Baileys connecting', async t => {
    const { gateway, simulator } = await scene(t, { paired: false, gateway: { connectTimeoutMs: 1_000 } })
    simulator.setFaults({ refuseUpgrade: 503 })
    let status: number | undefined
    gateway.connect().socket.ws.on('unexpected-response', (_request, response: { statusCode: number }) => {
      status = response.statusCode
    })
    await eventually('the refusal', () => status === 503)
  })

  it('stallHandshake never answers the first message', async t => {
    const { gateway, simulator } = await scene(t, { paired: false, gateway: { connectTimeoutMs: 1_000 } })
    simulator.setFaults({ stallHandshake: true })
    gateway.connect()
    assert.equal(await gateway.closed(), 408)
  })

  it('ignore leaves one kind of query unanswered', async t => {
    const { customer, gateway, simulator } = await scene(t, { gateway: { defaultQueryTimeoutMs: 1_000 } })
    simulator.setFaults({ ignore: ['iq/w:p/get'] })
    const ping = { tag: 'iq', attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p' }, content: [{ tag: 'ping', attrs: {} }] }
    assert.equal(await gateway.socket.query(ping), undefined)
    await gateway.say(customer.lidJid, 'the rest works')
    await customer.inbox.waitAfter(0, 30_000)
  })
})
