import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

async function paired(t: TestContext, settings: Readonly<Record<string, string>> = {}): Promise<Scene & { readonly api: Api }> {
  const scene = await createScene(t, emulator, settings)
  const api = await scene.start()
  await scene.pair(api)
  return Object.assign(scene, { api })
}

const owner = async ({ table }: Scene, tenant = TENANT): Promise<unknown> => (await table.record(tenant))?.['ownerUrl']
const heard = (scene: Scene, text: string): Promise<true> => eventually(`"${text}"`, () => scene.webhook.texts().includes(text))

describe('two containers and one number', () => {
  it('the second one leaves it to the first, and has it soon after the first one stopped', async t => {
    const scene = await paired(t, { LEASE_MS: '60000' }) // a clean stop needs no lease to run out
    const second = await scene.start()
    await scene.customer.say(scene.business, 'to the first')
    await heard(scene, 'to the first')
    await eventually('both containers', async () => (await scene.table.rows('CONTAINERS')).length === 2)
    assert.equal(await owner(scene), scene.api.url)
    assert.equal((await second.send(await scene.command('wrong address'))).status, 409)

    const stopped = performance.now()
    await Promise.all([scene.api.stop(), second.canSend()])
    t.diagnostic(`hand-over after a clean stop: ${Math.round(performance.now() - stopped)} ms`)
    assert.equal(await owner(scene), second.url)
    await scene.customer.say(scene.business, 'to the second')
    await heard(scene, 'to the second')
    assert.deepEqual(scene.webhook.texts(), ['to the first', 'to the second'])
    assert.equal(scene.business.devices.get(1)?.logins, 2) // one each
  })

  it('has a new owner within 15 s after a kill -9, within 3 s after a clean stop, with the settings as they come', async t => {
    const scene = await createScene(t, emulator)
    const asTheyCome = { SESSION_POLL_MS: '', HEARTBEAT_MS: '', LEASE_MS: '', REBALANCE_MS: '' }
    const first = await scene.spawn(asTheyCome)
    await scene.pair(first)
    const second = await scene.spawn(asTheyCome)
    await eventually('both containers', async () => (await scene.table.rows('CONTAINERS')).length === 2)
    const killed = performance.now()
    await first.process.kill('SIGKILL')
    await second.canSend()
    const crash = performance.now() - killed

    const third = await scene.spawn(asTheyCome)
    const stopped = performance.now()
    void second.stop()
    await eventually('the third', async () => (await third.status()).connected)
    const clean = performance.now() - stopped
    t.diagnostic(`take-over after kill -9: ${Math.round(crash)} ms; after a clean stop: ${Math.round(clean)} ms`)
    assert.ok(crash < 15_000, `${crash} ms`)
    assert.ok(clean < 3_000 * PATIENCE, `${clean} ms`)
    await scene.customer.say(scene.business, 'to the third')
    await heard(scene, 'to the third')
  })
})

/** The machine of a test may be busy with others; the figure that counts is printed. */
const PATIENCE = 3

describe('a container that cannot renew its lease', () => {
  it('ends its sockets by its own clock before anybody else may claim, and nothing is lost', async t => {
    const scene = await paired(t)
    // From now on the first container reaches nothing; the second one has a way of its own.
    const second = await scene.start({ AWS_ENDPOINT_URL: emulator.url })
    const logins = scene.business.devices.get(1)?.logins ?? 0
    scene.aws.refuse = () => true
    await eventually('the end of its socket', () => !scene.business.connected)
    assert.equal(scene.business.devices.get(1)?.logins, logins, 'it ended while it was still the owner')
    assert.equal(await owner(scene), scene.api.url)
    await scene.customer.say(scene.business, 'in between')
    await second.canSend()
    await heard(scene, 'in between')
    assert.equal(await owner(scene), second.url)

    // It comes back, finds an owner at work, and leaves it alone.
    scene.aws.refuse = () => false
    const token = (await scene.table.record(TENANT))?.['ownerToken']
    const beats = async (): Promise<number[]> => (await scene.table.rows('CONTAINERS')).map(({ beat }) => Number(beat))
    const before = await beats()
    await eventually('both beat', async () => (await beats()).every((beat, i) => beat > (before[i] ?? 0) + 2))
    assert.equal((await scene.table.record(TENANT))?.['ownerToken'], token)
    assert.equal(scene.business.counts.refused, 0)
  })

  it('has its sessions back when nobody else took them', async t => {
    const scene = await paired(t)
    scene.aws.refuse = () => true
    await eventually('the end of its socket', () => !scene.business.connected)
    await scene.customer.say(scene.business, 'in between')
    scene.aws.refuse = () => false
    await scene.api.canSend()
    await heard(scene, 'in between')
  })
})

describe('several numbers', () => {
  it('are shared out evenly when a container joins, without a message lost or doubled, and all taken when it leaves', async t => {
    const scene = await createScene(t, emulator)
    const tenants = Array.from({ length: 6 }, (_, i) => `shop_${i}`)
    await scene.table.desire(TENANT, { desired: 'stopped' })
    const phones = tenants.map((_, i) => scene.simulator.addBusiness({ phone: `97254000000${i}`, name: `Shop ${i}` }))
    for (const tenant of tenants) await scene.table.desire(tenant, { desired: 'linked' })
    const first = await scene.start()
    for (const [i, tenant] of tenants.entries()) await scene.pair(first, tenant, phones[i])
    const owners = async (): Promise<number[]> => {
      const urls = await Promise.all(tenants.map(tenant => owner(scene, tenant)))
      return [first.url, second.url].map(url => urls.filter(found => found === url).length)
    }
    const second = await scene.start()
    await eventually('three each', async () => String(await owners()) === '3,3')
    const said: string[] = []
    for (const [i, phone] of phones.entries()) {
      said.push(`hello ${i}`)
      await scene.customer.say(phone, `hello ${i}`)
    }
    await Promise.all(said.map(text => heard(scene, text)))
    await second.stop()
    await eventually('all on the first', async () => String(await owners()) === '6,0')
    for (const tenant of tenants) await first.canSend(tenant)
    assert.deepEqual(scene.webhook.texts().sort(), said)
    assert.deepEqual((await scene.table.rows('CONTAINERS')).map(({ url }) => url), [first.url])
  })
})

describe('a session whose owner is gone', () => {
  it('is unlinked on the phone all the same when an operator asks for it', async t => {
    const scene = await paired(t)
    await scene.api.stop()
    await scene.table.desire(TENANT, { desired: 'unlinked' })
    await scene.start()
    await eventually('the device is gone', () => scene.business.devices.size === 0)
    await eventually('the row', async () => (await scene.table.record(TENANT))?.['state'] === 'logged_out')
    assert.deepEqual(await scene.table.rows(`AUTH#${TENANT}`), [])
  })

  it('says that it is disconnected once somebody else has read that it should be stopped', async t => {
    const scene = await createScene(t, emulator)
    const gateway = await scene.spawn()
    await scene.pair(gateway)
    await gateway.process.kill('SIGKILL')
    await scene.table.desire(TENANT, { desired: 'stopped' })
    await scene.start()
    await eventually('the row', async () => (await scene.table.record(TENANT))?.['state'] === 'disconnected')
    assert.equal(scene.business.connected, false)
  })
})

describe('a container that stops while one of its numbers waits for WhatsApp', () => {
  it('releases the others without it', async t => {
    const scene = await createScene(t, emulator, { LEASE_MS: '60000' })
    const { simulator, table } = scene
    const gateway = await scene.spawn({ SHUTDOWN_MS: '8000' })
    await scene.pair(gateway)
    const business = simulator.addBusiness({ phone: '972509990001', name: 'Waits' })
    await table.desire('waits', { desired: 'linked' })
    await scene.pair(gateway, 'waits', business)
    await table.desire('waits', { desired: 'stopped' })
    await eventually('its socket to end', () => !business.connected)
    simulator.setFaults({ refuseUpgrade: 503 })
    await table.desire('waits', { desired: 'unlinked' }) // the phone is told over a socket that does not come
    await eventually('the attempt', async () => (await table.record('waits'))?.['state'] === 'connecting')
    const leaving = gateway.stop()
    await eventually('the other one to be free', async () => await owner(scene) === undefined)
    assert.equal(await owner(scene, 'waits'), gateway.url)
    await leaving
  })
})

describe('a restart', () => {
  it('is refused while a message is on its way', async t => {
    const scene = await paired(t)
    await scene.api.send(await scene.command('warm up'))
    scene.simulator.setFaults({ latencyMs: 1_500 })
    const sending = scene.api.send(await scene.command('on its way'))
    await eventually('the active send', async () => ((await (await scene.api.get(`/whatsapp/${TENANT}/sending-status`)).json()) as { isSending: boolean }).isSending)
    assert.equal(await scene.api.restart(), 409)
    assert.equal((await sending).result.outcome, 'sent')
    scene.simulator.clearFaults()
    await eventually('a restart', async () => await scene.api.restart() === 202)
    await scene.api.canSend()
  })
})
