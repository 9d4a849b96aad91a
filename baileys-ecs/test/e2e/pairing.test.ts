import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ConnectionUpdated } from '@kesher/contracts'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, SECRET, TENANT, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

/** The row with what the phone can be linked with, as the command line reads it. */
const offer = async ({ table }: Scene): Promise<Record<string, unknown> | undefined> =>
  (await table.rows(`SESSION#${TENANT}`)).find(({ sk }) => sk === 'PAIRING')
const code = (scene: Scene): Promise<string> => eventually('a pairing code', async () => {
  const shown = (await offer(scene))?.['code']
  return typeof shown === 'string' ? shown : undefined
})
const events = ({ webhook }: Scene): ConnectionUpdated[] => webhook.events.filter(event => event.type === 'connection.updated')
const state = async ({ table }: Scene): Promise<Record<string, unknown>> => (await table.record(TENANT)) ?? {}
const wish = async ({ table, business }: Scene, phone = business.phone): Promise<void> =>
  table.desire(TENANT, { desiredPhone: phone, desiredPhoneUntil: Date.now() + 60_000, desiredGeneration: Number((await table.record(TENANT))?.['desiredGeneration'] ?? 0) + 1 })

describe('a number that is to be linked by a code', () => {
  it('gets one in its row, with its expiry in the event, and is linked when it is typed', async t => {
    const scene = await createScene(t, emulator)
    await wish(scene)
    const api = await scene.start()

    const shown = await code(scene)
    assert.match(shown, /^[0-9A-Z]{8}$/)
    const status = await api.status()
    assert.deepEqual([status.state, status.pairing?.method], ['pairing', 'code'])
    assert.deepEqual(await (await api.get(`/whatsapp/${TENANT}/pairing-code`)).json(),
      { code: shown, phone: scene.business.phone, expiresAt: status.pairing?.expiresAt })
    const event = await eventually('the event', () => events(scene).find(({ pairing }) => pairing?.method === 'code'))
    assert.equal(event.pairing?.expiresAt, status.pairing?.expiresAt)
    assert.ok(!JSON.stringify([events(scene), api.lines]).includes(shown)) // who reads an event or a log must not be able to link

    await scene.business.enterCode(shown)
    await api.canSend()
    assert.equal(await offer(scene), undefined)
    await eventually('the number in the row', async () => (await state(scene))['phoneJid'] === scene.business.phoneJid)
    await scene.customer.say(scene.business, 'hello')
    await eventually('the message', () => scene.webhook.texts().includes('hello'))
  })

  it('is asked anew by a gateway that was killed while the code was shown', async t => {
    const scene = await createScene(t, emulator)
    await wish(scene)
    const first = await scene.spawn()
    const old = await code(scene)
    await first.process.kill('SIGKILL')

    const api = await scene.start()
    const next = await eventually('another code', async () => {
      const shown = await code(scene)
      return shown !== old && shown
    })
    await scene.business.enterCode(next)
    await api.canSend()
  })

  it('is told that the code expired, and gets another one while it is wanted', async t => {
    const scene = await createScene(t, emulator)
    await wish(scene)
    const api: Api = await scene.start({ PAIRING_CODE_MS: '700' })
    const first = await code(scene)
    const expired = await eventually('the reason', () => events(scene).find(event => event.state === 'disconnected' && event.reason?.includes('pairing code expired')))
    assert.equal(expired.code, 408)
    await eventually('another code', async () => (await offer(scene))?.['code'] !== undefined && await code(scene) !== first)
    await scene.table.desire(TENANT, { desiredPhoneUntil: 0 })
    assert.ok((await api.qr()).qr.includes('#2@')) // codes ring on the phone: nobody asked for more
  })

  for (const [what, fault, phone, reason] of [
    ['WhatsApp does not know the number', null, '972599999999', /does not know this phone number/],
    ['too many codes were asked for', '429', undefined, /too many pairing codes/],
  ] as const) {
    it(`is told that ${what}, and rests until somebody asks again`, async t => {
      const scene = await createScene(t, emulator)
      scene.simulator.setFaults({ pairingCode: fault })
      await wish(scene, phone)
      await scene.start()
      const refusal = await eventually('the reason', () => events(scene).find(event => reason.test(event.reason ?? '')))
      assert.equal(refusal.state, 'disconnected')
      const asked = scene.simulator.received('iq').length

      scene.simulator.setFaults({ pairingCode: null })
      assert.equal(scene.simulator.received('iq').length, asked)
      await wish(scene)
      await scene.business.enterCode(await code(scene))
      await eventually('the link', async () => (await state(scene))['state'] === 'connected')
    })
  }

  it('can ask the gateway itself while a QR code is shown', async t => {
    const scene = await createScene(t, emulator)
    const api = await scene.start()
    await api.qr()
    const answer = await fetch(`${api.url}/whatsapp/${TENANT}/pairing-code`, {
      method: 'POST', headers: { 'x-internal-secret': SECRET, 'content-type': 'application/json' }, body: JSON.stringify({ phone: scene.business.phone }),
    })
    assert.equal(answer.status, 202)
    await scene.business.enterCode(await code(scene))
    await api.canSend()
  })
})

describe('a number that is to be linked by a QR code', () => {
  it('shows each one in its row with its expiry, and says when they ran out', async t => {
    const scene = await createScene(t, emulator, { QR_MS: '300' })
    scene.simulator.setFaults({ qrCodes: 2 })
    await scene.start()
    const seen = new Set<unknown>()
    await eventually('two codes', async () => {
      const qr = (await offer(scene))?.['qr']
      if (qr !== undefined) seen.add(qr)
      return seen.size >= 2
    })
    const expiries = (): number[] => events(scene).flatMap(({ pairing }) => pairing == null ? [] : [pairing.expiresAt])
    await eventually('an event for each', () => new Set(expiries()).size >= 2)
    await eventually('the reason', () => events(scene).some(({ reason, code }) => code === 408 && /QR codes ran out/.test(reason ?? '')))
  })
})
