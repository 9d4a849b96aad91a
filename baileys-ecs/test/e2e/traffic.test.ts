import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { NOTICES } from '@kesher/simulator'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

describe('all that a number hears beside its customers\' messages', () => {
  it('is confirmed, disturbs nobody, and is told apart: what no customer wrote has the kind of its chat', async t => {
    const scene = await createScene(t, emulator)
    const { business, customer, simulator, webhook } = scene
    const api = await scene.start()
    await scene.pair(api)

    for (const kind of NOTICES) business.notify(kind, customer)
    for (const text of ['one', 'two']) await customer.sayInGroup(business, '120363000000000001@g.us', text)
    await customer.postStatus(business, 'my story')
    business.showNewsletterPost('120363000000000002@newsletter', 'news')
    customer.type(business)
    customer.call(business)
    await customer.say(business, 'and now to you')

    await eventually('all of it', () => webhook.messages().length === 5) // chats do not wait for each other
    assert.deepEqual(webhook.messages().map(({ chat }) => chat.kind).sort(), ['direct', 'group', 'group', 'newsletter', 'status'])
    assert.equal(webhook.messages().find(({ chat }) => chat.kind === 'direct')?.chat.jid, customer.lidJid)
    await eventually('all to be confirmed', () => business.devices.get(1)?.unconfirmed === 0 &&
      simulator.received('ack').filter(({ stanza }) => stanza.attrs.class === 'notification').length === NOTICES.length)
    assert.deepEqual(api.lines.filter(line => (JSON.parse(line) as { level: number }).level >= 50), [])
    await eventually('an empty journal', async () =>
      (await scene.table.rows(`JOURNAL#${TENANT}`)).filter(({ kind }) => kind === 'message').length === 0)
  })

  for (const addressing of ['lid', 'phone'] as const) {
    it(`a customer's second device, by ${addressing}, is the same customer, and gets the answers too`, async t => {
      const scene = await createScene(t, emulator)
      const { business, customer, webhook } = scene
      await customer.change({ addressing })
      const api = await scene.start()
      await scene.pair(api)
      const web = customer.linkDevice(business)
      await customer.say(business, 'from the phone')
      await customer.say(business, 'from the web', { device: web })
      await eventually('both', () => webhook.messages().length === 2)
      const [phone, companion] = webhook.messages().map(({ chat }) => chat)
      assert.deepEqual(companion, phone)

      const command = await scene.command('to all of you', { chatJid: companion?.jid ?? '' })
      assert.equal((await api.send(command)).result.outcome, 'sent')
      await eventually('the answer on both', () => customer.inbox.total === 1 && customer.heardBy.get(web)?.includes(command.messageId))
    })
  }

  it('a server that restarts has everything delivered once more, and nothing comes twice to the webhook', async t => {
    const scene = await createScene(t, emulator)
    const { business, customer, simulator, webhook } = scene
    const api = await scene.start()
    await scene.pair(api)
    simulator.setFaults({ ignore: ['receipt'] })
    await customer.say(business, 'before')
    await eventually('the first', () => webhook.texts().includes('before'))
    await simulator.restart(200)
    simulator.clearFaults()
    await customer.say(business, 'after')
    await eventually('the second', () => webhook.texts().includes('after'))
    await eventually('all to be confirmed', () => business.devices.get(1)?.unconfirmed === 0 && business.devices.get(1)?.waiting === 0)
    assert.deepEqual([...new Set(webhook.texts())], ['before', 'after'])
  })
})
