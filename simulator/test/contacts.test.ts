import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pino from 'pino'
import { startControlApi } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { Gateway } from './support/gateway.js'
import { scene } from './support/scene.js'

/** The names under which Baileys was told of people, newest last. */
function namesTold(gateway: Gateway): Map<string, (string | undefined)[]> {
  const told = new Map<string, (string | undefined)[]>()
  gateway.socket.ev.on('contacts.upsert', contacts => {
    for (const { id, name } of contacts) told.set(id, [...told.get(id) ?? [], name])
  })
  return told
}

describe('The address book of the owner\'s phone', () => {
  it('reaches a linked device, each change of it, through Baileys\' own decoder', async t => {
    const { business, customer, gateway } = await scene(t)
    const told = namesTold(gateway)
    await business.saveContact(customer, 'Dana Cohen')
    await eventually('the contact', () => told.get(customer.phoneJid)?.at(-1) === 'Dana Cohen')
    await business.saveContact(customer, 'Dana from work')
    await eventually('the new name', () => told.get(customer.phoneJid)?.at(-1) === 'Dana from work')
    assert.equal(await gateway.socket.signalRepository.lidMapping.getLIDForPN(customer.phoneJid), customer.lidJid)
    // Baileys does not say that this one is a removal.
    await business.removeContact(customer)
    await eventually('the removal', () => told.get(customer.phoneJid)?.length === 3)
    assert.deepEqual(business.addressBook.contacts(), [])
  })

  it('is there as a whole for a device that is linked later, and its codes are right', async t => {
    const { simulator } = await scene(t)
    const business = simulator.addBusiness({ phone: '972500000777' })
    const people = Array.from({ length: 60 }, (_, at) => ({ phoneJid: `9725400${String(at).padStart(5, '0')}@s.whatsapp.net`, name: `Friend ${at}` }))
    await business.addressBook.restore(people)
    const lines: string[] = []
    const gateway = new Gateway(simulator, { logger: pino({ level: 'warn' }, { write: line => { lines.push(line) } }) })
    t.after(() => gateway.stop())
    gateway.connect()
    business.scan(await gateway.qr())
    await gateway.closed()
    gateway.connect()
    const told = namesTold(gateway)
    await eventually('everybody', () => told.size === people.length)
    for (const { phoneJid, name } of people) assert.equal(told.get(phoneJid)?.at(-1), name)
    assert.deepEqual(lines.filter(line => /LTHash|mac|decode/i.test(line)), [])
  })

  it('is changed over HTTP, too', async t => {
    const { simulator, business, customer } = await scene(t)
    const api = await startControlApi(simulator)
    t.after(() => api.close())
    const ask = async (method: string, body: object): Promise<number> =>
      (await fetch(`${api.url}/businesses/${business.phone}/contacts`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status
    assert.equal(await ask('PUT', { customer: customer.phone, name: 'Dana' }), 204)
    assert.deepEqual(business.addressBook.contacts().map(({ name }) => name), ['Dana'])
    assert.equal(await ask('DELETE', { customer: customer.phone }), 204)
    assert.deepEqual(business.addressBook.contacts(), [])
    assert.equal(await ask('PUT', { customer: '99999' }), 404)
  })
})
