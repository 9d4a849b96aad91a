import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Event, MessageReceived } from '@kesher/contracts'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

/** No lease is to run out where the machine is busy: this is about order. */
const PATIENT = { LEASE_MS: '120000' }

async function paired(t: TestContext): Promise<Scene> {
  const scene = await createScene(t, emulator, PATIENT)
  await scene.pair(await scene.start())
  return scene
}

const byId = (scene: Scene, id: string): Promise<MessageReceived> =>
  eventually(`message ${id}`, () => scene.webhook.messages().find(({ messageId }) => messageId === id))
const namesOf = async (scene: Scene, id: string): Promise<unknown[]> => {
  const { chat } = await byId(scene, id)
  return [chat.lid, chat.phoneJid]
}

/** The webhook refuses the message `first`; gives what comes to it meanwhile, once `second` is in the journal and `first` was tried again. */
async function whileRefused(scene: Scene, first: string, second: string): Promise<string[]> {
  const tries = (): number => scene.webhook.attempts.filter(({ event }) => idOf(event) === first).length
  await eventually('the row', async () => (await scene.table.rows(`JOURNAL#${TENANT}`)).some(({ sk }) => String(sk).endsWith(`#${second}`)))
  const before = tries()
  await eventually('two more attempts', () => tries() >= before + 2)
  return [...new Set(scene.webhook.attempts.map(({ event }) => idOf(event)).filter(id => id !== undefined))]
}
const idOf = (event: Event): string | undefined => event.type === 'message.received' ? event.messageId : undefined

describe('a customer of two names', () => {
  it('who comes by phone alone and then by LID keeps the order of what was said', async t => {
    const scene = await paired(t)
    const { customer, business } = scene
    await customer.change({ addressing: 'phone', namesBoth: false })
    scene.webhook.answer = event => event.type === 'message.received' ? 503 : 200
    const first = await customer.say(business, 'by phone')
    await customer.change({ addressing: 'lid', namesBoth: true })
    const second = await customer.say(business, 'by LID')
    assert.deepEqual(await whileRefused(scene, first, second), [first])
    scene.webhook.answer = () => 200
    await byId(scene, second)
    assert.deepEqual(scene.webhook.texts(), ['by phone', 'by LID'])
    // From here on either name alone is enough.
    await customer.change({ namesBoth: false })
    const both = [customer.lidJid, customer.phoneJid]
    for (const addressing of ['phone', 'lid'] as const) assert.deepEqual(await namesOf(scene, await customer.say(business, `again by ${addressing}`, { addressing })), both)
  })

  it('is one person from the moment in which the phone says so, whichever name a message gives', async t => {
    const scene = await paired(t)
    const { customer, business } = scene
    await customer.change({ addressing: 'phone', namesBoth: false })
    assert.deepEqual(await namesOf(scene, await customer.say(business, 'who am I?')), [undefined, customer.phoneJid])
    await business.tellMapping(customer)
    await customer.change({ addressing: 'lid' })
    assert.deepEqual(await namesOf(scene, await customer.say(business, 'it is me')), [customer.lidJid, customer.phoneJid])
  })

  it('is answered by the owner in the order of the chat, though the answer names only the phone', async t => {
    const scene = await paired(t)
    const { customer, business } = scene
    await byId(scene, await customer.say(business, 'hello'))
    scene.webhook.answer = event => event.type === 'message.received' ? 503 : 200
    const question = await customer.say(business, 'are you open?')
    const answer = await business.say(customer, 'until seven', { addressing: 'phone' })
    assert.deepEqual((await whileRefused(scene, question, answer)).slice(1), [question])
    scene.webhook.answer = () => 200
    assert.deepEqual(await namesOf(scene, answer), [customer.lidJid, customer.phoneJid])
    assert.deepEqual(scene.webhook.texts(), ['hello', 'are you open?', 'until seven'])
  })
})
