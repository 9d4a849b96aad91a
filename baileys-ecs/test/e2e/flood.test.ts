import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

const CHATS = 30
const EACH = 20

describe('a flood of messages of many chats, faster than the database takes them', () => {
  it('waits at WhatsApp and not in this process; the session lasts and everything arrives once', async t => {
    const scene = await createScene(t, emulator)
    const api = await scene.start()
    await scene.pair(api)
    const customers = Array.from({ length: CHATS }, (_, i) => scene.simulator.addCustomer({ phone: `97252222${String(i).padStart(4, '0')}`, name: `Customer ${i}` }))
    scene.aws.latencyMs = [5, 15]
    await Promise.all(customers.map(async (customer, i) => {
      for (let n = 0; n < EACH; n++) await customer.say(scene.business, `chat ${i} message ${n}`)
    }))
    await eventually('the pause', () => api.lines.some(line => line.includes('nothing more is read for the moment')))
    scene.aws.latencyMs = [0, 0]
    await eventually('everything', () => new Set(scene.webhook.texts()).size === CHATS * EACH, 90_000)
    assert.equal(scene.business.devices.get(1)?.logins, 1, 'the silence was our own')
    for (const customer of customers.keys()) {
      const texts = [...new Set(scene.webhook.texts().filter(text => text.startsWith(`chat ${customer} `)))]
      assert.deepEqual(texts, Array.from({ length: EACH }, (_, n) => `chat ${customer} message ${n}`))
    }
  })
})
