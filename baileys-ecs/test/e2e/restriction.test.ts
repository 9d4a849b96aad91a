import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { SendResult } from '@kesher/contracts'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

/** No lease is to run out where the machine is busy: this is about a restriction. */
const PATIENT = { LEASE_MS: '120000' }

/** A number to which Dana has written, and Noa never. */
async function talking(t: TestContext): Promise<Scene & { readonly api: Api; readonly stranger: string }> {
  const scene = await createScene(t, emulator, PATIENT)
  const api = await scene.start()
  await scene.pair(api)
  await scene.customer.say(scene.business, 'hello')
  await eventually('the message', () => scene.webhook.texts().includes('hello'))
  return Object.assign(scene, { api, stranger: scene.simulator.addCustomer({ phone: '972529999999', name: 'Noa' }).lidJid })
}

const wholeSecond = (fromNowMs: number): number => Math.ceil((Date.now() + fromNowMs) / 1_000) * 1_000
const restriction = (api: Api, until: number | undefined): Promise<boolean> =>
  eventually(`a restriction until ${until ?? 'nothing'}`, async () => ((await api.status()).restrictedUntil ?? undefined) === until)

describe('a number that WhatsApp restricts', () => {
  it('shows until when, begins no new chat and answers in those there are, until the restriction is lifted', async t => {
    const { api, business, command, stranger, simulator, customer } = await talking(t)
    const until = wholeSecond(3_600_000)
    business.restrict(until)
    await restriction(api, until)
    const before = simulator.log.total
    for (let attempt = 0; attempt < 2; attempt++) {
      const { status, result } = await api.send(await command('hello Noa', { chatJid: stranger }))
      assert.equal(status, 422)
      assert.ok(result.outcome === 'refused' && result.permanent && result.code === '463' && result.until === until, JSON.stringify(result))
    }
    assert.deepEqual(simulator.log.after(before).filter(({ dir, stanza }) => dir === 'in' && stanza.tag === 'message'), [])
    assert.equal((await api.send(await command('hello Dana', { chatJid: customer.lidJid }))).result.outcome, 'sent')
    business.restrict(null)
    await restriction(api, undefined)
    assert.equal((await api.send(await command('hello Noa', { chatJid: stranger }))).result.outcome, 'sent')
  })

  it('begins new chats again when the time is over, though nobody says so', async t => {
    const { api, business, command, stranger } = await talking(t)
    business.restrict(wholeSecond(1_000))
    const outcomes: SendResult['outcome'][] = []
    await eventually('a sent message', async () => {
      const { result } = await api.send(await command('hello Noa', { chatJid: stranger }))
      outcomes.push(result.outcome)
      return result.outcome === 'sent'
    })
    assert.ok(outcomes.slice(0, -1).every(outcome => outcome === 'refused'))
    assert.equal((await api.status()).restrictedUntil, undefined)
  })
})
