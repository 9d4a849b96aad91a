import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { SessionStatus } from '@kesher/contracts'
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

/** Looks again and again until it is told to stop. */
function watch(look: () => Promise<void>): { readonly stop: () => Promise<void> } {
  const over = new AbortController()
  const looking = (async () => {
    while (!over.signal.aborted) await look()
  })()
  return { stop: () => { over.abort(); return looking } }
}

/** Stanzas with this id that reached WhatsApp's server. */
const onTheWire = ({ simulator }: Scene, id: string): number =>
  simulator.received('message').filter(({ stanza }) => stanza.attrs['id'] === id).length

describe('"connected"', () => {
  it('is told when the session can send, not before: whoever hears it sends at once', async t => {
    const scene = await createScene(t, emulator)
    const early: SessionStatus[] = []
    const results: Promise<string>[] = []
    const api = await scene.start()
    await scene.pair(api)
    scene.webhook.answer = event => {
      if (event.type === 'connection.updated' && event.state === 'connected') {
        results.push(scene.command('as soon as you are back').then(command => api.send(command)).then(({ result }) => result.outcome))
      }
      return 200
    }
    const watched = watch(async () => { early.push(await api.status()) })
    scene.business.disconnect('tcp')
    await eventually('the event', () => results.length === 1)
    assert.deepEqual(await Promise.all(results), ['sent'])
    await watched.stop()
    for (const { state, canSend } of early) assert.ok(state !== 'connected' || canSend)
    assert.ok(early.some(({ connected, state }) => connected && state === 'connecting'), 'the socket was open before')
  })

  it('says since when: the time of the last answer of WhatsApp stands in the status', async t => {
    const scene = await paired(t)
    const before = Date.now()
    await scene.api.send(await scene.command('shalom'))
    const { answeredAt } = await scene.api.status()
    assert.ok(typeof answeredAt === 'number' && answeredAt >= before - 5 && answeredAt <= Date.now())
    scene.business.disconnect('replaced')
    await eventually('the end', async () => !(await scene.api.status()).connected)
    assert.equal((await scene.api.status()).answeredAt ?? null, null)
  })
})

describe('a send', () => {
  it('is sent only when WhatsApp\'s server has acknowledged it; the same id again is not sent again', async t => {
    const scene = await paired(t)
    const command = await scene.command('shalom')
    const [one, two] = await Promise.all([scene.api.send(command), scene.api.send(command)])
    assert.equal(one.status, 200)
    assert.deepEqual(one.result, two.result)
    assert.equal(one.result.outcome, 'sent')
    const later = await scene.api.send(command)
    assert.deepEqual(later.result, one.result)
    assert.equal(onTheWire(scene, command.messageId), 1)
    assert.equal(scene.customer.inbox.after().length, 1)
    const line = scene.api.lines.find(text => text.includes('[BAILEYS] send finished successfully, duration='))
    assert.ok(line?.includes('"correlation_id":"correlation-1"'))
  })

  it('that is never acknowledged is unknown within its deadline; repeated, it is acknowledged and the customer has one message', async t => {
    const scene = await paired(t, { SEND_DEADLINE_MS: '1500' })
    scene.simulator.setFaults({ ignore: ['message'] })
    const command = await scene.command('are you there?')
    const started = Date.now()
    const { status, result } = await scene.api.send(command)
    assert.equal(status, 504)
    assert.equal(result.outcome, 'unknown')
    assert.ok(Date.now() - started < 6_000)
    assert.ok(scene.api.lines.some(line => line.includes('Send timeout after 2s')))
    scene.simulator.clearFaults()
    const again = await scene.api.send(command)
    assert.equal(again.result.outcome, 'sent')
    await eventually('the message', () => scene.customer.inbox.after().length === 1)
    assert.deepEqual(scene.customer.inbox.after().map(({ id, text }) => [id, text]), [[command.messageId, 'are you there?']])
  })

  it('whose acknowledgement is lost while the customer has it is unknown, and known as sent afterwards', async t => {
    const scene = await paired(t, { SEND_DEADLINE_MS: '1500' })
    scene.simulator.setFaults({ dropAcks: true })
    const command = await scene.command('lost ack')
    assert.equal((await scene.api.send(command)).result.outcome, 'unknown')
    await eventually('delivered', () => scene.webhook.events.some(event => event.type === 'message.status' && event.status === 'delivered'))
    scene.simulator.clearFaults()
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
    assert.equal(scene.customer.copies.get(command.messageId), 1)
  })

  it('whose acknowledgement comes after its deadline is reported by an event', async t => {
    const scene = await paired(t, { SEND_DEADLINE_MS: '700' })
    await scene.api.send(await scene.command('warm up'))
    await scene.customer.change({ offline: true }) // no delivery receipt that would tell the same
    scene.simulator.setFaults({ latencyMs: 1_500 })
    const command = await scene.command('late')
    assert.equal((await scene.api.send(command)).result.outcome, 'unknown')
    await eventually('the event', () => scene.webhook.events.some(event =>
      event.type === 'message.status' && event.messageId === command.messageId && event.status === 'sent'))
    scene.simulator.clearFaults()
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
    assert.equal(onTheWire(scene, command.messageId), 1)
  })

  it('refused with 463 is refused for good and never reaches the wire again', async t => {
    const scene = await paired(t)
    scene.simulator.setFaults({ ackError: '463' })
    const command = await scene.command('too many')
    for (let i = 0; i < 3; i++) {
      const { status, result } = await scene.api.send(command)
      assert.equal(status, 422)
      assert.ok(result.outcome === 'refused' && result.permanent && result.code === '463')
      assert.ok(result.until != null && result.until > Date.now() + 80_000_000, 'WhatsApp was asked until when')
      scene.simulator.clearFaults()
    }
    assert.equal(onTheWire(scene, command.messageId), 1)
  })

  it('through a frozen peer is unknown within its deadline, and counted as active until then', async t => {
    const scene = await paired(t, { SEND_DEADLINE_MS: '1500' })
    await scene.api.send(await scene.command('warm up'))
    scene.simulator.setFaults({ hang: true })
    const sending = scene.api.send(await scene.command('into the void'))
    const active = await eventually('the active send', async () => {
      const status = await (await scene.api.get(`/whatsapp/${TENANT}/sending-status`)).json() as { isSending: boolean; activeSends: number }
      return status.isSending && status
    })
    assert.equal(active.activeSends, 1)
    assert.equal((await sending).result.outcome, 'unknown')
    const after = await (await scene.api.get(`/whatsapp/${TENANT}/sending-status`)).json()
    assert.deepEqual(after, { isSending: false, activeSends: 0 })
  })

  it('to a new contact whose devices WhatsApp does not name is not sent to nobody', async t => {
    const scene = await paired(t, { SEND_DEADLINE_MS: '2000' })
    scene.simulator.setFaults({ ignore: ['iq/usync'] })
    const command = await scene.command('cold')
    const { result } = await scene.api.send(command)
    assert.ok(['unknown', 'unavailable'].includes(result.outcome))
    assert.equal(onTheWire(scene, command.messageId), 0)
  })

  it('keeps its place among the sends of its chat', async t => {
    const scene = await paired(t)
    scene.aws.latencyMs = [5, 50]
    const texts = Array.from({ length: 8 }, (_, i) => `part ${i}`)
    const commands = []
    for (const text of texts) commands.push(await scene.command(text))
    const results = await Promise.all(commands.map(command => scene.api.send(command)))
    assert.ok(results.every(({ status }) => status === 200))
    await eventually('all parts', () => scene.customer.inbox.after().length === texts.length)
    assert.deepEqual(scene.customer.inbox.after().map(({ text }) => text), texts)
  })

  it('while the session is not connected is unavailable', async t => {
    const scene = await createScene(t, emulator)
    const api = await scene.start()
    await api.qr()
    const { status, result } = await api.send(await scene.command('too early'))
    assert.equal(status, 503)
    assert.equal(result.outcome, 'unavailable')
  })

  it('that the customer\'s phone asks for again comes from the sent log, after a restart too', async t => {
    const scene = await paired(t)
    await scene.customer.change({ offline: true, failDecrypt: 1 })
    const command = await scene.command('kept')
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
    await scene.api.stop()
    const again = await scene.start()
    await again.canSend()
    await scene.customer.change({ offline: false })
    const [message] = await eventually('the repeat', () => scene.customer.inbox.after().length > 0 && scene.customer.inbox.after())
    assert.equal(message?.id, command.messageId)
    assert.equal(message.text, 'kept')
    assert.equal(scene.customer.retryRequests, 1)
  })
})

describe('a customer\'s phone that asks for an old message again', () => {
  it('gets nothing after a quarter of an hour, not even what Baileys still remembers', async t => {
    const clock = Date.now
    let ahead = 0
    t.mock.method(Date, 'now', () => clock() + ahead)
    const scene = await paired(t)
    await scene.customer.change({ offline: true, failDecrypt: 1 })
    const command = await scene.command('old news')
    assert.equal((await scene.api.send(command)).result.outcome, 'sent')
    ahead = 16 * 60_000
    await scene.customer.change({ offline: false })
    const acks = (): number => scene.simulator.received('ack').filter(({ stanza: { attrs } }) => attrs['class'] === 'receipt' && attrs['type'] === 'retry').length
    await eventually('the end of its handling', () => scene.customer.retryRequests === 1 && acks() === 1)
    assert.equal(onTheWire(scene, command.messageId), 1)
    assert.deepEqual(scene.customer.inbox.after(), [])
  })
})

describe('an owner that was fenced', () => {
  it('does not send: neither with the old token in the command, nor when the token moves under a send', async t => {
    const scene = await paired(t, { SESSION_POLL_MS: '60000' })
    await scene.api.send(await scene.command('warm up'))
    const stale = await scene.command('stale', { ownerToken: 0 })
    assert.equal((await scene.api.send(stale)).status, 409)

    const fenced = await scene.command('fenced')
    scene.aws.watch = async ({ operation, body }) => {
      // The row before the wire is stored; then somebody else claims, before the ratchet moves.
      if (operation === 'TransactWriteItems' && body.includes(`"session#`)) await scene.table.desire(TENANT, { ownerToken: 99 })
    }
    const { status, result } = await scene.api.send(fenced)
    assert.equal(status, 409)
    assert.equal(result.outcome, 'not_owner')
    assert.equal(onTheWire(scene, fenced.messageId), 0)
    assert.equal(onTheWire(scene, stale.messageId), 0)
    await eventually('the end of its socket', () => !scene.business.connected)
    assert.equal((await scene.api.status()).connected, false)
  })
})
