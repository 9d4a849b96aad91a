import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { PutCommand } from '@aws-sdk/lib-dynamodb'
import type { ConnectionUpdated } from '@kesher/contracts'
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
  const scene = await createScene(t, emulator)
  const api = await scene.start(settings)
  await scene.pair(api)
  return Object.assign(scene, { api })
}

const silences = ({ api }: { readonly api: Api }): number => api.lines.filter(line => line.includes('answers nothing any more')).length

describe('a server that falls silent', () => {
  it('is noticed by a probe: the session can no longer send, its socket is ended, and a new one takes its place', async t => {
    const scene = await paired(t, { SILENCE_MS: '3000', PROBE_MS: '1000' })
    scene.simulator.setFaults({ hang: true })
    await eventually('the watchdog', () => silences(scene) === 1)
    assert.equal((await scene.api.status()).canSend, false)
    scene.simulator.clearFaults()
    await scene.api.canSend()
    assert.equal(scene.business.devices.get(1)?.logins, 2)
  })

  it('is left alone while it answers, also when nothing is said for long', async t => {
    const scene = await paired(t, { SILENCE_MS: '1500', PROBE_MS: '1000' })
    const pings = (): number => scene.simulator.received('iq').filter(({ stanza }) => stanza.attrs['xmlns'] === 'w:p').length
    const before = pings()
    await eventually('some probes', () => pings() >= before + 4)
    assert.equal(silences(scene), 0)
    assert.equal((await scene.api.status()).canSend, true)
    assert.equal(scene.business.devices.get(1)?.logins, 1)
  })

  it('after a message was written to it is found out by the missing acknowledgement, long before the deadline of the send', async t => {
    const scene = await paired(t, { ACK_PROBE_MS: '500', PROBE_MS: '1000' })
    await scene.api.send(await scene.command('warm up'))
    scene.simulator.setFaults({ hang: true })
    const command = await scene.command('into the void')
    const { result } = await scene.api.send(command)
    assert.ok(result.outcome === 'unknown' && result.reason.includes('connection was lost'), 'by the watchdog, not by the deadline')
    scene.simulator.clearFaults()
    await scene.api.canSend()
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
    assert.deepEqual(scene.customer.inbox.after().map(({ text }) => text), ['warm up', 'into the void'])
  })
})

describe('each way in which WhatsApp ends or refuses a session', () => {
  const update = (scene: Scene, code: number): ConnectionUpdated | undefined =>
    scene.webhook.events.filter(event => event.type === 'connection.updated').find(event => event.code === code)

  for (const [how, code, reason] of [
    ['busy', 503, /not available/], ['replaced', 440, /took this session over/], ['ack', 500, /after an error/],
    ['streamend', 428, /was closed/], ['removed', 401, /unlinked/],
  ] as const) {
    it(`is told to the business in plain words: ${how} (${code})`, async t => {
      const scene = await paired(t)
      scene.business.disconnect(how)
      const event = await eventually('the event', () => update(scene, code))
      assert.match(event.reason ?? '', reason)
      assert.equal(event.state, code === 401 ? 'logged_out' : 'disconnected')
    })
  }

  for (const [code, reason, again] of [[403, /banned/, false], [405, /client version/, false], [503, /not available/, true]] as const) {
    it(`a login refused with ${code}${again ? ' is tried again' : ' is not tried again soon'}`, async t => {
      const scene = await paired(t)
      scene.simulator.setFaults({ failure: String(code) })
      scene.business.disconnect('tcp')
      assert.match((await eventually('the event', () => update(scene, code))).reason ?? '', reason)
      scene.simulator.clearFaults()
      if (again) await scene.api.canSend()
      else assert.equal((await scene.api.status()).connected, false)
    })
  }

  it('a ban outlives the container: its successor leaves the number alone until somebody asks', async t => {
    const scene = await paired(t)
    scene.simulator.setFaults({ failure: '403' })
    scene.business.disconnect('tcp')
    await eventually('the event', () => update(scene, 403))
    scene.simulator.clearFaults()
    await scene.api.stop()
    const next = await scene.start()
    await eventually('the claim', async () => (await scene.table.record(TENANT))?.['ownerUrl'] === next.url)
    await eventually('the session', async () => (await next.status()).code === 403)
    assert.match((await next.status()).reason ?? '', /banned/)
    assert.equal(scene.business.devices.get(1)?.logins, 1)
    await scene.table.desire(TENANT, { desiredGeneration: 1 })
    await next.canSend()
  })
})

describe('the client version', () => {
  it('is raised by a row of the table at the next login; what is no version is ignored, aloud', async t => {
    const scene = await paired(t)
    const asks = async (value: string): Promise<void> => {
      await scene.table.db.send(new PutCommand({ TableName: scene.table.name, Item: { pk: 'SETTINGS', sk: 'CLIENT_VERSION', value } }))
      assert.equal(await scene.api.restart(), 202)
    }
    await asks('2.4000.1')
    await eventually('the new version', () => scene.api.lines.some(line => line.includes('"version":"2.4000.1"')))
    await scene.api.canSend()
    await asks('newest')
    await eventually('the complaint', () => scene.api.lines.some(line => line.includes('CLIENT_VERSION is no version')))
    await scene.api.canSend()
  })
})
