import assert from 'node:assert/strict'
import { type TestContext, describe, it } from 'node:test'
import { downloadMediaMessage } from '@whiskeysockets/baileys'
import { startControlApi } from '../src/index.js'
import { type Answer, call } from './support/call.js'
import { eventually } from './support/eventually.js'
import { type Scene, scene } from './support/scene.js'

interface Controlled extends Scene {
  readonly ask: (method: string, path: string, body?: object) => Promise<Answer>
}

async function controlled(t: TestContext, options: Parameters<typeof scene>[1] = {}): Promise<Controlled> {
  const at = await scene(t, options)
  const control = await startControlApi(at.simulator)
  t.after(() => control.close())
  return { ...at, ask: (method, path, body) => call(control, method, path, body) }
}

const DONE: Answer = { status: 204, body: {} }

describe('By the control API', () => {
  it('an account is restricted: it begins no new chats until the restriction is lifted', async t => {
    const { ask, business, customer, gateway } = await controlled(t)
    const path = `/businesses/${business.phone}/restrict`
    assert.equal((await ask('POST', path, { until: 'tomorrow' })).status, 400)

    assert.deepEqual(await ask('POST', path, { until: Date.now() + 3_600_000 }), DONE)
    const refused = await gateway.say(customer.lidJid, 'an offer')
    await eventually('the refusal', () => gateway.statusesOf(refused).includes(0))

    assert.deepEqual(await ask('POST', path, { until: null }), DONE)
    await gateway.say(customer.lidJid, 'another offer')
    const shown = await customer.inbox.waitAfter(0, 30_000)
    assert.deepEqual(shown.map(({ text }) => text), ['another offer'])
  })

  it('a phone tells whose LID is whose phone number', async t => {
    const { ask, business, customer: { phone, lid }, gateway } = await controlled(t)
    const path = `/businesses/${business.phone}/mapping`
    const known = async (): Promise<string | undefined> => (await gateway.auth.keys.get('lid-mapping', [phone]))[phone]
    assert.equal(await known(), undefined)
    assert.equal((await ask('POST', path, { customers: [] })).status, 400)
    assert.equal((await ask('POST', path, { customers: ['97250'] })).status, 404)

    assert.deepEqual(await ask('POST', path, { customers: [phone] }), DONE)

    await eventually('the mapping', async () => await known() === lid)
  })

  it('the files on the media servers are gone', async t => {
    const { ask, business, customer, gateway } = await controlled(t)
    const id = await customer.sendContent(business, { kind: 'image' })
    const message = await eventually('the image', () => gateway.received.find(({ message: { key } }) => key.id === id)?.message)
    await downloadMediaMessage(message, 'buffer', {})

    assert.deepEqual(await ask('POST', '/media/expire'), DONE)

    await assert.rejects(downloadMediaMessage(message, 'buffer', {}), (error: { output?: { statusCode: number } }) => error.output?.statusCode === 410)
  })

  it('a device is linked by the code that it shows', async t => {
    const { ask, business, gateway, simulator } = await controlled(t, { paired: false })
    const path = `/businesses/${business.phone}/enter-code`
    assert.equal((await ask('POST', path, { code: 'AAAAAAAA' })).status, 404)
    gateway.connect()
    await gateway.qr()
    const code = await gateway.socket.requestPairingCode(business.phone)
    await eventually('the request', () => simulator.received('iq').some(({ stanza }) => stanza.attrs.xmlns === 'md'))
    assert.equal((await ask('POST', path, { code: 'AAAAAAAA' })).status, 409)

    assert.deepEqual(await ask('POST', path, { code }), { status: 200, body: { device: 1, jid: `${business.phone}:1@s.whatsapp.net` } })

    assert.equal(await gateway.closed(), 515)
    await gateway.open()
  })

  it('a customer links a device and unlinks it, and gets a new phone', async t => {
    const { ask, business, customer, gateway } = await controlled(t)
    const businesses = [business.phone]
    await customer.say(business, 'hello')
    await gateway.hears('hello')
    assert.deepEqual(await ask('POST', `/customers/${customer.phone}/devices`, { businesses }), { status: 201, body: { device: 1 } })
    const toBoth = await gateway.say(customer.lidJid, 'to both')
    await eventually('the device', () => customer.heardBy.get(1)?.includes(toBoth))

    assert.deepEqual(await ask('DELETE', `/customers/${customer.phone}/devices/1`, { businesses }), DONE)
    assert.equal((await ask('DELETE', `/customers/${customer.phone}/devices/1`, { businesses })).status, 404)

    const { device } = customer
    assert.deepEqual(await ask('POST', `/customers/${customer.phone}/new-phone`, { businesses }), DONE)
    assert.notEqual(customer.device, device)
    await customer.say(business, 'from the new phone')
    await gateway.hears('from the new phone')
  })

  it('the server restarts, and says when it is back', async t => {
    const { ask, business, customer, gateway } = await controlled(t)
    assert.equal((await ask('POST', '/restart', { downMs: -1 })).status, 400)
    assert.deepEqual(await ask('POST', '/restart', { downMs: 10 }), DONE)
    await gateway.closed()
    await gateway.open()
    await customer.say(business, 'back?')
    await gateway.hears('back?')
  })

  it('the server tells a business something', async t => {
    const { ask, business, simulator } = await controlled(t)
    assert.deepEqual(await ask('POST', `/businesses/${business.phone}/notify`, { kind: 'business-profile' }), DONE)
    await eventually('it to be confirmed', () => simulator.received('ack').some(({ stanza }) => stanza.attrs.class === 'notification'))
    assert.equal((await ask('POST', `/businesses/${business.phone}/notify`, { kind: 'weather' })).status, 400)
  })

  it('the phone of a business is switched off', async t => {
    const { ask, business } = await controlled(t)
    const { status, body } = await ask('PATCH', `/businesses/${business.phone}`, { offline: true, uploadsAgain: 'not-found' })
    assert.deepEqual([status, body.offline, body.uploadsAgain, body.passesOn], [200, true, 'not-found', 'once'])
    assert.equal((await ask('PATCH', `/businesses/${business.phone}`, { offline: 'yes' })).status, 400)
  })
})
