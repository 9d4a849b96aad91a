import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

/** A paired number whose customer has written by LID, so that both of the customer's names are known. */
async function talking(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<Scene & { readonly api: Api }> {
  const scene = await createScene(t, emulator, settings)
  const api = await scene.start()
  await scene.pair(api)
  await scene.customer.say(scene.business, 'are you open today?')
  await eventually('the question', () => scene.webhook.texts().includes('are you open today?'))
  return Object.assign(scene, { api })
}

const onTheWire = ({ simulator }: Scene, id: string): number =>
  simulator.received('message').filter(({ stanza }) => stanza.attrs['id'] === id).length

const isTyping = ({ customer }: Scene): Promise<boolean> =>
  eventually('"typing ..."', () => customer.typing.after().at(-1)?.state === 'composing')

describe('an answer of the assistant', () => {
  for (const addressing of ['lid', 'phone'] as const) {
    it(`that is being composed when the owner writes (by ${addressing}) never reaches the wire`, async t => {
      const scene = await talking(t, { COMPOSING_MS: '8000' })
      const answer = await scene.command('We are open until seven.')
      const sending = scene.api.send(answer)
      await isTyping(scene)
      await scene.business.say(scene.customer, 'I will see to this myself', { addressing })
      const { status, result } = await sending
      assert.equal(status, 410)
      assert.equal(result.outcome, 'superseded')
      await eventually('the end of "typing ..."', () => scene.customer.typing.after().at(-1)?.state === 'paused')
      // From here on the epoch says so: the claim of the assistant's row fails. A person's message gives way to nobody.
      assert.equal((await scene.api.send(await scene.command('Here I am', { author: 'person' }))).result.outcome, 'sent')
      assert.equal(onTheWire(scene, answer.messageId), 0)
    })
  }

  it('keeps silent while the webhook does not know what the owner wrote, after a restart too', async t => {
    const scene = await talking(t)
    scene.webhook.answer = () => 503
    await scene.business.say(scene.customer, 'one moment please')
    await eventually('the attempt to forward', () => scene.webhook.attempts.some(({ status }) => status === 503))
    const answer = await scene.command('We are open until seven.')
    assert.equal((await scene.api.send(answer)).result.outcome, 'superseded')

    await scene.api.stop()
    const successor = await scene.start()
    await successor.canSend()
    const again = { ...answer, ownerToken: (await scene.command('')).ownerToken }
    assert.equal((await successor.send(again)).result.outcome, 'superseded')
    const person = await scene.command('I am here', { author: 'person' })
    assert.equal((await successor.send(person)).result.outcome, 'sent')
    assert.equal(onTheWire(scene, answer.messageId), 0)

    // Only the webhook can tell an automatic greeting from the owner. If it was one, the answer may go out after all.
    scene.webhook.answer = () => 200
    await eventually('what the owner wrote', () => scene.webhook.texts().includes('one moment please'))
    await eventually('the answer', async () => (await successor.send(again)).result.outcome === 'sent')
    assert.equal(onTheWire(scene, answer.messageId), 1)
  })

  it('goes to other customers while the owner writes to one', async t => {
    const scene = await talking(t)
    const other = scene.simulator.addCustomer({ phone: '972522220001', name: 'Noa' })
    scene.webhook.answer = () => 503
    await scene.business.say(scene.customer, 'hello Dana')
    await eventually('the attempt to forward', () => scene.webhook.attempts.some(({ status }) => status === 503))
    assert.equal((await scene.api.send(await scene.command('hi'))).result.outcome, 'superseded')
    assert.equal((await scene.api.send(await scene.command('hi', { chatJid: other.lidJid }))).result.outcome, 'sent')
    scene.webhook.answer = () => 200
    await eventually('what the owner wrote', () => scene.webhook.texts().includes('hello Dana'))
  })

  it('is not held up by what another process has forwarded meanwhile', async t => {
    const scene = await talking(t)
    scene.webhook.answer = () => 503
    await scene.business.say(scene.customer, 'one moment please')
    await eventually('the attempt to forward', () => scene.webhook.attempts.some(({ status }) => status === 503))
    const answer = await scene.command('We are open until seven.')
    assert.equal((await scene.api.send(answer)).result.outcome, 'superseded')
    for (const row of await scene.table.rows('JOURNAL#business_1')) await scene.table.remove(row)
    await eventually('the answer', async () => (await scene.api.send(answer)).result.outcome === 'sent')
    scene.webhook.answer = () => 200
  })
})

describe('before an answer of the assistant', () => {
  it('its question is marked as read and "typing ..." is shown, at the cost of no round trip; other chats do not wait', async t => {
    const scene = await talking(t, { COMPOSING_MS: '4000' })
    const other = scene.simulator.addCustomer({ phone: '972522220002', name: 'Noa' })
    const warm = { answeredAt: Date.now() - 60_000 } // so long ago that nothing needs to be typed
    for (const chatJid of [scene.customer.lidJid, other.lidJid]) {
      assert.equal((await scene.api.send(await scene.command('warm', { ...warm, chatJid }))).result.outcome, 'sent')
    }
    assert.equal(scene.customer.typing.after().length, 0)
    const before = scene.simulator.log.total
    const [question] = scene.webhook.messages()
    assert.ok(question !== undefined)

    const answer = await scene.command('We are open until seven.', { answers: [question.messageId], answeredAt: Date.now() })
    const finished: string[] = []
    const sending = scene.api.send(answer).then(({ result }) => { finished.push('slow'); return result.outcome })
    await isTyping(scene)
    assert.equal((await scene.api.send(await scene.command('to another', { ...warm, chatJid: other.lidJid }))).result.outcome, 'sent')
    finished.push('other')
    assert.equal(await sending, 'sent')
    assert.deepEqual(finished, ['other', 'slow'])

    await eventually('the blue ticks', () => scene.customer.receipts.after().some(({ id, type }) => id === question.messageId && type === 'read'))
    const stanzas = scene.simulator.log.after(before).filter(({ dir }) => dir === 'in').map(({ stanza }) => stanza)
    const mine = stanzas.filter(({ attrs }) => attrs['to'] === scene.customer.lidJid).map(({ tag }) => tag)
    assert.deepEqual(mine.filter(tag => tag !== 'receipt'), ['chatstate', 'chatstate', 'message'])
    assert.deepEqual(stanzas.filter(({ tag, attrs }) => tag === 'iq' && !['privacy', 'w:p'].includes(attrs['xmlns'] ?? '')), [])
    assert.deepEqual(scene.customer.typing.after().map(({ state }) => state), ['composing', 'paused'])
  })

  it('of a person nothing is typed', async t => {
    const scene = await talking(t, { COMPOSING_MS: '20000' })
    assert.equal((await scene.api.send(await scene.command('I am here', { author: 'person' }))).result.outcome, 'sent')
    assert.equal(scene.customer.typing.after().length, 0)
  })
})
