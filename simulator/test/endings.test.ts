import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConflictError, ENDINGS, type Ending } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { scene } from './support/scene.js'

const CODES: Readonly<Record<Ending, number>> = {
  restart: 515, busy: 503, replaced: 440, removed: 401, ack: 500, xml: 500, streamend: 428, close: 428, tcp: 428,
}

describe('A session that ends', () => {
  for (const how of ENDINGS) {
    it(`by "${how}" is seen by Baileys as ${CODES[how]}`, async t => {
      const { business, gateway } = await scene(t)

      business.disconnect(how)

      assert.equal(await gateway.closed(), CODES[how])
      assert.equal(business.connected, false)
      assert.equal(business.devices.size, how === 'removed' ? 0 : 1)
      if (how !== 'removed') await gateway.open()
    })
  }

  it('because another socket logs in with the same credentials is replaced, and its unreceipted messages move', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    simulator.setFaults({ ignore: ['receipt', 'ack'] })
    const id = await customer.say(business, 'hi')
    await eventually('the ignored receipt', () => simulator.received('receipt').some(({ stanza }) => stanza.attrs.id === id))
    simulator.clearFaults()
    const { socket, updates } = gateway
    socket.ev.on('connection.update', update => { if (update.connection === 'close') updates.push(update) })

    await gateway.open()

    const codes: (number | undefined)[] = updates.map(({ lastDisconnect }) =>
      (lastDisconnect?.error as { output?: { statusCode?: number } } | undefined)?.output?.statusCode)
    assert.ok(codes.includes(440))
    assert.equal(business.counts.redelivered, 1)
  })

  it('by logout() unlinks the device', async t => {
    const { business, gateway } = await scene(t)
    await gateway.socket.logout()
    assert.equal(await gateway.closed(), 401)
    assert.equal(business.devices.size, 0)
  })

  it('cannot end twice', async t => {
    const { business, gateway } = await scene(t)
    business.disconnect('tcp')
    assert.throws(() => { business.disconnect('tcp') }, ConflictError)
    await gateway.closed()
  })
})
