import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NOTICES, type ReadableStanza } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { wordsOf } from './support/gateway.js'
import { scene } from './support/scene.js'

describe('What the server tells of its own accord', () => {
  it('is confirmed by Baileys, each kind, and disturbs no conversation', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    for (const kind of NOTICES) business.notify(kind, customer)
    const confirmed = (): string[] => simulator.received('ack').filter(({ stanza }) => stanza.attrs.class === 'notification').map(({ stanza }) => stanza.attrs.type ?? '')
    await eventually('all to be confirmed', () => confirmed().length === NOTICES.length)
    await customer.say(business, 'still there?')
    await gateway.hears('still there?')
  })
})

describe('Groups', () => {
  it('are encrypted once, under a sender key that each device is told with the first message', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    const group = '120363000000000001@g.us'
    for (const text of ['one', 'two', 'three']) await customer.sayInGroup(business, group, text)
    await gateway.hears('three')
    assert.deepEqual(gateway.received.map(({ message }) => wordsOf(message)).filter(Boolean), ['one', 'two', 'three'])
    const kinds = simulator.log.after().filter(({ dir, stanza }) => dir === 'out' && stanza.tag === 'message' && stanza.attrs.from === group)
      .map(({ stanza }) => (stanza.content as readonly ReadableStanza[]).map(({ attrs }) => attrs.type))
    assert.deepEqual(kinds, [['pkmsg', 'skmsg'], ['skmsg'], ['skmsg']])
  })

  it('are sent again to a device that could not read them', async t => {
    const { business, customer, gateway } = await scene(t)
    await customer.sayInGroup(business, '120363000000000001@g.us', 'damaged', { corrupt: true })
    await gateway.hears('damaged')
    assert.equal(customer.resent, 1)
  })
})

describe('A server that restarts', () => {
  it('delivers again what was not confirmed, and is at its old address', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    simulator.setFaults({ ignore: ['receipt'] })
    await customer.say(business, 'unconfirmed')
    await gateway.hears('unconfirmed')
    const [restarted] = await Promise.all([simulator.restart(50), gateway.closed()])
    assert.equal(restarted, undefined)
    simulator.clearFaults()
    await customer.say(business, 'meanwhile')

    await gateway.open()

    await gateway.hears('meanwhile')
    await eventually('the second delivery', () => business.counts.redelivered >= 1)
  })

  it('refuses whoever comes while it is down', async t => {
    const { gateway, simulator } = await scene(t)
    const restarting = simulator.restart(300)
    await gateway.closed()
    gateway.connect()
    assert.equal(typeof await gateway.closed(), 'number')
    await restarting
    await gateway.open()
  })
})
