import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { deferred } from '../../src/concurrency/deferred.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Api, type Scene } from '../support/scene.js'
import { isWrite } from '../support/slow-aws.js'

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

const unique = (texts: readonly string[]): string[] => [...new Set(texts)]
const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name} ${i}`)

describe('a gateway killed with -9', () => {
  it('in the middle of traffic comes back without a new QR code, and every message reaches the webhook under its id', async t => {
    const scene = await createScene(t, emulator)
    scene.aws.latencyMs = [1, 20]
    let gateway = await scene.spawn()
    await scene.pair(gateway)
    const sent = new Map<string, string>()
    const say = async (text: string): Promise<void> => { sent.set(await scene.customer.say(scene.business, text), text) }

    for (let round = 0; round < 3; round++) {
      for (const text of numbered(`round ${round}`, 20)) await say(text)
      await eventually('some traffic', () => scene.webhook.messages().length > round * 20 + 3)
      await gateway.process.kill('SIGKILL')
      await say(`while it was down ${round}`)
      gateway = await scene.spawn()
    }
    const status = await gateway.canSend()
    assert.equal(status.connected, true)
    await eventually('every message', () => new Set(scene.webhook.messages().map(({ messageId }) => messageId)).size >= sent.size)
    for (const { messageId, content } of scene.webhook.messages()) {
      assert.equal(content.kind === 'text' && content.text, sent.get(messageId))
    }
    assert.deepEqual(unique(scene.webhook.texts()), [...sent.values()])
    assert.equal(scene.customer.resent, 0) // nothing had to be asked for again
    const pairings = scene.webhook.events.filter(event => event.type === 'connection.updated' && event.state === 'pairing')
    assert.equal(unique(pairings.map(event => event.correlationId)).length, 1)
    await eventually('an empty journal', async () => (await scene.table.rows(`JOURNAL#${TENANT}`)).length === 0)
  })
})

describe('a socket that breaks', () => {
  it('between the decryption and the receipt, with a slow store, loses nothing', async t => {
    const scene = await paired(t)
    const held = deferred<undefined>()
    let journalling = 0
    scene.aws.watch = async ({ operation, body }) => {
      if (operation !== 'TransactWriteItems' || !body.includes('"kind":{"S":"message"}')) return
      journalling++
      await held.promise
    }
    const texts = numbered('cut', 5)
    for (const text of texts) await scene.customer.say(scene.business, text)
    await eventually('the journal write', () => journalling > 0)
    scene.business.disconnect('tcp')
    held.resolve(undefined)
    await eventually('all messages', () => unique(scene.webhook.texts()).length === texts.length)
    assert.deepEqual(unique(scene.webhook.texts()), texts)
    assert.equal(scene.customer.resent, 0)
  })

  it('comes back by itself after each way to end, with the same login', async t => {
    const scene = await paired(t)
    for (const how of ['restart', 'ack', 'xml', 'streamend', 'close', 'tcp'] as const) {
      scene.business.disconnect(how)
      await eventually(`the end by ${how}`, () => !scene.business.connected)
      await scene.api.canSend()
      await scene.customer.say(scene.business, how)
      await eventually(`a message after ${how}`, () => scene.webhook.texts().includes(how))
    }
    assert.equal(scene.business.devices.size, 1)
  })

  it('that WhatsApp never opens is given up by the watchdog', async t => {
    const scene = await paired(t, { CONNECT_TIMEOUT_MS: '1500' })
    scene.simulator.setFaults({ refuseUpgrade: 503 })
    scene.business.disconnect('tcp')
    await eventually('the watchdog', () => scene.api.lines.some(line => line.includes('did not open the connection in time')))
    scene.simulator.clearFaults()
    await scene.api.canSend()
  })
})

describe('a number that was unlinked on the phone', () => {
  it('is logged out, its auth state is put aside, and it can be linked again when somebody asks', async t => {
    const scene = await paired(t)
    scene.business.disconnect('removed')
    await eventually('the event', () => scene.webhook.events.some(event => event.type === 'connection.updated' && event.state === 'logged_out' && event.code === 401))
    assert.equal((await scene.table.record(TENANT))?.['state'], 'logged_out')
    assert.deepEqual(await scene.table.rows(`AUTH#${TENANT}`), [])
    const answer = await scene.api.get(`/whatsapp/${TENANT}/qr`)
    assert.equal(answer.status, 404)
    assert.match(((await answer.json()) as { reason: string }).reason, /new QR code/)
    await scene.table.desire(TENANT, { desiredGeneration: 1 })
    await scene.pair(scene.api)
    await scene.customer.say(scene.business, 'linked again')
    await eventually('a message', () => scene.webhook.texts().includes('linked again'))
  })
})

describe('a database', () => {
  it('that refuses writes for a while makes nobody lose a message: nothing is nacked, everything is delivered again', async t => {
    const scene = await paired(t, { STORE_RETRY_MS: '300' })
    let refused = 0
    scene.aws.refuse = call => isWrite(call) && ++refused > 0
    const texts = numbered('refused', 6)
    for (const text of texts) await scene.customer.say(scene.business, text)
    await eventually('the end of the socket', () => scene.api.lines.some(line => line.includes('The database could not be reached')))
    scene.aws.refuse = () => false
    await eventually('all messages', () => unique(scene.webhook.texts()).length === texts.length)
    assert.deepEqual(unique(scene.webhook.texts()), texts)
    assert.equal(scene.business.counts.refused, 0)
    assert.equal(scene.customer.resent, 0)
    await eventually('the true state in the row', async () => (await scene.table.record(TENANT))?.['state'] === 'connected')
  })

  it('that refuses reads for a while makes nobody lose a message either', async t => {
    const scene = await paired(t, { STORE_RETRY_MS: '300' })
    scene.aws.refuse = ({ operation }) => operation === 'GetItem' || operation === 'BatchGetItem'
    const texts = numbered('unread', 6)
    for (const text of texts) await scene.customer.say(scene.business, text)
    await eventually('the end of the socket', () => scene.api.lines.some(line => line.includes('The database could not be reached')))
    scene.aws.refuse = () => false
    await eventually('all messages', () => unique(scene.webhook.texts()).length === texts.length)
    assert.equal(scene.business.counts.refused, 0)
    assert.equal(scene.customer.resent, 0)
  })

  it('whose answers are lost now and then is asked again without doing anything twice', async t => {
    const scene = await paired(t)
    let calls = 0
    scene.aws.loseAnswer = ({ operation }) => operation === 'TransactWriteItems' && ++calls % 3 === 0
    const texts = numbered('answer lost', 10)
    for (const text of texts) await scene.customer.say(scene.business, text)
    await eventually('all messages', () => unique(scene.webhook.texts()).length === texts.length)
    scene.aws.loseAnswer = () => false
    assert.deepEqual(unique(scene.webhook.texts()), texts)
    assert.equal(scene.business.counts.refused, 0)
  })
})

describe('a webhook', () => {
  it('that is down and comes back gets everything, in order within each chat, the chats beside one another', async t => {
    const scene = await paired(t)
    const other = scene.simulator.addCustomer({ phone: '972529999999', name: 'Noa' })
    scene.webhook.answer = () => 500
    for (const text of numbered('dana', 8)) await scene.customer.say(scene.business, text)
    for (const text of numbered('noa', 8)) await other.say(scene.business, text)
    await eventually('both chats were tried', () => new Set(scene.webhook.attempts.flatMap(({ event }) =>
      event.type === 'message.received' ? [event.chat.jid] : [])).size === 2)
    scene.webhook.answer = event => event.type === 'message.received' && event.chat.jid === other.lidJid ? 500 : 200
    await eventually('the one chat, while the other waits', () => scene.webhook.texts().filter(text => text.startsWith('dana')).length === 8)
    scene.webhook.answer = () => 200
    await eventually('the other chat', () => scene.webhook.texts().filter(text => text.startsWith('noa')).length === 8)
    const of = (name: string): string[] => scene.webhook.texts().filter(text => text.startsWith(name))
    assert.deepEqual(of('dana'), numbered('dana', 8))
    assert.deepEqual(of('noa'), numbered('noa', 8))
    assert.equal(scene.customer.receipts.after().length, 8) // WhatsApp was never kept waiting
  })

  it('that refuses an event for good finds it parked, and the chat goes on', async t => {
    const scene = await paired(t)
    scene.webhook.answer = event => event.type === 'message.received' && event.content.kind === 'text' && event.content.text === 'too strange' ? 422 : 200
    for (const text of ['before', 'too strange', 'after']) await scene.customer.say(scene.business, text)
    await eventually('the next one', () => scene.webhook.texts().includes('after'))
    assert.deepEqual(scene.webhook.texts(), ['before', 'after'])
    const [row, ...others] = await eventually('the parked row', async () => {
      const rows = await scene.table.rows(`JOURNAL#${TENANT}`)
      return rows.length === 1 && rows
    })
    assert.deepEqual(others, [])
    assert.equal((row?.['parked'] as { status: number }).status, 422)
  })
})

describe('a gateway that is told to stop', () => {
  it('finishes its sends, takes no new one, says that it drains, and leaves with 0', async t => {
    const scene = await createScene(t, emulator)
    const gateway = await scene.spawn()
    await scene.pair(gateway)
    await gateway.send(await scene.command('warm up'))
    scene.simulator.setFaults({ latencyMs: 2_000 })
    const sending = gateway.send(await scene.command('the last one'))
    await eventually('the active send', async () => ((await (await gateway.get(`/whatsapp/${TENANT}/sending-status`)).json()) as { isSending: boolean }).isSending)
    const started = Date.now()
    const exited = gateway.process.kill('SIGTERM')
    await eventually('draining', async () => ((await (await fetch(`${gateway.url}/health`)).json()) as { status: string }).status === 'draining')
    const refused = await gateway.send(await scene.command('too late'))
    assert.equal(refused.status, 503)
    assert.equal((await sending).result.outcome, 'sent')
    assert.equal(await exited, 0)
    assert.ok(Date.now() - started < 20_000)
    assert.equal((await scene.table.record(TENANT))?.['state'], 'disconnected')
    assert.equal(scene.business.devices.size, 1) // not unlinked
  })
})

describe('an operator', () => {
  it('stops a session, starts it again, restarts it, and unlinks it, by the row alone', async t => {
    const scene = await paired(t)
    await scene.table.desire(TENANT, { desired: 'stopped' })
    await eventually('the end', () => !scene.business.connected)
    await eventually('the row', async () => (await scene.table.record(TENANT))?.['state'] === 'disconnected')
    await scene.table.desire(TENANT, { desired: 'linked' })
    await scene.api.canSend()
    const logins = (): number => scene.business.devices.get(1)?.logins ?? 0
    const before = logins()
    await scene.table.desire(TENANT, { desiredGeneration: 1 })
    await eventually('another login', () => logins() > before)
    await scene.api.canSend()
    assert.equal(await scene.api.restart(), 202)
    const again = logins()
    await eventually('one more login', () => logins() > again)
    await scene.api.canSend()
    await scene.table.desire(TENANT, { desired: 'unlinked' })
    await eventually('the device is gone', () => scene.business.devices.size === 0)
    await eventually('the row', async () => (await scene.table.record(TENANT))?.['state'] === 'logged_out')
    await eventually('no auth state', async () => (await scene.table.rows(`AUTH#${TENANT}`)).length === 0)
  })
})
