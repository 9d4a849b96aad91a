import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Customer, ReadableStanza, Simulator } from '@kesher/simulator'
import { createArena, type Arena } from '../bench/arena.js'
import type { Contestant, Line, Name } from '../bench/contestants.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Scene } from '../support/scene.js'
import type { AwsCall } from '../support/slow-aws.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

/** No test is to end because the machine is busy. */
const PATIENT = { LEASE_MS: '120000', SILENCE_MS: '120000', ACK_PROBE_MS: '60000', SEND_DEADLINE_MS: '120000', STORE_RETRY_MS: '60000' }
const MANY = 5
const ADDRESSINGS = ['lid', 'phone'] as const

describe('beside bare Baileys, the gateway', () => {
  it('asks WhatsApp nothing more: not for messages, not for answers, in new chats and in known ones, by LID and by phone', async t => {
    const arena = await createArena(t, emulator)
    const [ours, bare] = [await talk(arena, 'gateway'), await talk(arena, 'bare Baileys, in memory')]
    t.diagnostic(`gateway: ${JSON.stringify(ours.asked())}, on the way of the answers: ${JSON.stringify(ours.cold)}, ${JSON.stringify(ours.warm)}`)
    assert.ok(bare.cold.some(queries => queries.length > 0)) // it does ask something
    assert.deepEqual(ours.cold, bare.cold)
    assert.deepEqual(ours.warm, bare.warm)
    await eventually('the same queries in all', () => JSON.stringify(ours.asked()) === JSON.stringify(bare.asked()))
      .catch(() => { assert.deepEqual(ours.asked(), bare.asked()) })
  })
})

interface Talk {
  /** The queries that came to the server between the command and the message, for the first answer to each customer and for the second. */
  readonly cold: readonly (readonly string[])[]
  readonly warm: readonly (readonly string[])[]
  /** All queries so far by their kind, the login's included, but for {@link BESIDE_MESSAGES}. */
  readonly asked: () => Readonly<Record<string, number>>
}

async function talk(arena: Arena, name: Name): Promise<Talk> {
  const { simulator } = arena
  const contestant = await arena.enter(name, PATIENT)
  const line = await contestant.link(0)
  const customers = ADDRESSINGS.flatMap(addressing =>
    Array.from({ length: MANY }, () => simulator.addCustomer({ phone: `97259${String(++phones).padStart(7, '0')}` }, { addressing })))
  for (let i = 0; i < 3; i++) await contestant.heard(await Promise.all(customers.map(customer => customer.say(line.business, `message ${i}`))))
  const answers = async (): Promise<string[][]> => {
    const asked: string[][] = []
    for (const customer of customers) asked.push(await answer(simulator, contestant, line, customer))
    return asked
  }
  return {
    cold: await answers(), warm: await answers(),
    asked: () => counted(queriesOf(simulator, line, 0).filter(kind => !BESIDE_MESSAGES.has(kind))),
  }
}

let phones = 0
let ids = 0
/** Keep-alives, of which each program has its own period, and the address book, which the gateway follows by itself (ADR 0022). */
const BESIDE_MESSAGES = new Set(['w:p get', 'w:sync:app:state set'])

/** @returns the queries before it */
async function answer(simulator: Simulator, { api }: Contestant, line: Line, customer: Customer): Promise<string[]> {
  const messageId = `3EB0${String(++ids).padStart(16, 'A')}`
  const before = simulator.log.total
  const command = {
    version: 1, messageId, chatJid: customer.jid(customer.settings.addressing), author: 'assistant', content: { kind: 'text', text: 'Yes' }, correlationId: 'c', ownerToken: 1,
  } as const
  await eventually('the answer', async () => (await api.send(command, line.tenant)).result.outcome === 'sent')
  return queriesOf(simulator, line, before, messageId)
    .filter(kind => kind !== 'privacy set') // a token for the contact, some time behind the first message; the tests below show that nothing waits for it
}

/** @param until id of the message that ends the list */
function queriesOf({ log }: Simulator, { business }: Line, after: number, until?: string): string[] {
  const stanzas = log.after(after).filter(({ dir, device }) => dir === 'in' && device?.startsWith(business.phone)).map(({ stanza }) => stanza)
  const end = until === undefined ? stanzas.length : stanzas.findIndex(({ tag, attrs }) => tag === 'message' && attrs['id'] === until)
  assert.ok(end >= 0)
  return stanzas.slice(0, end).filter(isQuery).map(({ attrs }) => `${attrs['xmlns']} ${attrs['type']}`)
}

const isQuery = ({ tag, attrs }: ReadableStanza): boolean => tag === 'iq' && attrs['type'] !== 'result' && attrs['type'] !== 'error'

function counted(kinds: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const kind of [...kinds].sort()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

describe('when WhatsApp\'s server answers no query any more', () => {
  it('messages still come to the webhook, from new customers too, and answers in known chats still go out, typing and blue ticks before them', async t => {
    const scene = await createScene(t, emulator, { ...PATIENT, COMPOSING_MS: '50' })
    const { simulator, business, customer, webhook } = scene
    const api = await scene.start()
    await scene.pair(api)
    await customer.say(business, 'hello')
    await eventually('the first message', () => webhook.texts().includes('hello'))
    assert.equal((await api.send(await scene.command('Good morning'))).result.outcome, 'sent') // devices are asked for once

    simulator.setFaults({ ignore: ['iq'] })
    const id = await customer.say(business, 'known')
    for (const addressing of ADDRESSINGS) {
      const stranger = simulator.addCustomer({ phone: `97259${String(++phones).padStart(7, '0')}` }, { addressing })
      for (const text of ['first', 'second']) await stranger.say(business, `${text} by ${addressing}`)
    }
    await eventually('all messages', () => webhook.texts().length === 6)
    assert.equal((await api.send(await scene.command('Yes, at eight.', { answers: [id] }))).result.outcome, 'sent')
    await eventually('typing, and the blue ticks', () =>
      customer.typing.total > 0 && simulator.received('receipt').some(({ stanza }) => stanza.attrs['type'] === 'read'))
  })
})

describe('with two seconds of round trip to WhatsApp', () => {
  it('no message waits for one, neither its own nor those of others', async t => {
    const [oneWayMs, roundTripMs] = [1_000, 2_000]
    const arena = await createArena(t, emulator)
    const contestant = await arena.enter('gateway', PATIENT)
    const { business, customers } = await contestant.link(20)
    arena.network.oneWayMs = oneWayMs
    const from = performance.now()
    const sent = await Promise.all(customers.flatMap(customer => [customer.say(business, 'one'), customer.say(business, 'two')]))
    await contestant.heard(sent)
    const took = sent.map(id => (arena.receiver.arrivedAt.get(id) ?? Infinity) - from)
    t.diagnostic(`fastest ${Math.min(...took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms`)
    // Far above what the gateway needs on a busy machine, and far below 40 round trips one after another.
    assert.ok(Math.min(...took) < oneWayMs + roundTripMs, String(took))
    assert.ok(Math.max(...took) < oneWayMs + 5 * roundTripMs, String(took))
  })
})

describe('the database, for one message', () => {
  it('is called once before the webhook has a customer\'s message, and once behind it', async t => {
    const scene = await warmScene(t)
    const { customer, business, webhook } = scene
    const calls = callsOf(scene)
    let looks = 0
    for (let i = 0; i < 2 * MANY; i++) {
      calls.length = 0
      let before: string[] = []
      webhook.answer = event => {
        if (event.type === 'message.received') before = calls.map(({ operation }) => operation)
        return 200
      }
      await customer.say(business, `message ${i}`)
      await eventually('the row to be gone', () => calls.some(({ operation }) => operation === 'DeleteItem'))
      looks += calls.filter(({ operation }) => operation === 'Query').length
      assert.deepEqual(before.filter(operation => operation !== 'Query'), ['TransactWriteItems'])
      assert.deepEqual(calls.map(({ operation }) => operation).filter(operation => operation !== 'Query'), ['TransactWriteItems', 'DeleteItem'])
    }
    assert.ok(looks < MANY, `${looks} queries`) // the journal is looked through once a minute, not for each message
  })

  it('is called four times before an answer is on the wire: is it known, its record, a ratchet for the customer and one for the owner\'s phone', async t => {
    const scene = await warmScene(t)
    const api = scene.api
    assert.equal((await api.send(await scene.command('Good morning'))).result.outcome, 'sent')
    await journalEmpty(scene)
    const calls = callsOf(scene)
    for (let i = 0; i < MANY; i++) {
      const command = await scene.command(`answer ${i}`)
      calls.length = 0
      assert.equal((await api.send(command)).result.outcome, 'sent')
      const ofTheAnswer = calls.flatMap(({ operation, body }) => ['SENT', 'AUTH', 'PACE'].filter(part => body.includes(`${part}#`)).map(part => `${operation} ${part}`))
      assert.deepEqual(ofTheAnswer.slice(0, 4), ['GetItem SENT', 'TransactWriteItems SENT', 'TransactWriteItems AUTH', 'TransactWriteItems AUTH'])
      assert.deepEqual(ofTheAnswer.slice(4).filter(call => call !== 'UpdateItem SENT'), [])
      await eventually('the receipt', () => calls.some(({ operation }) => operation === 'DeleteItem'))
    }
  })
})

async function warmScene(t: Parameters<typeof createScene>[0]): Promise<Scene & { readonly api: Awaited<ReturnType<Scene['start']>> }> {
  const scene = await createScene(t, emulator, { ...PATIENT, SESSION_POLL_MS: '60000', HEARTBEAT_MS: '' })
  const api = await scene.start()
  await scene.pair(api)
  await scene.customer.say(scene.business, 'hello')
  await eventually('the message', () => scene.webhook.texts().includes('hello'))
  await journalEmpty(scene)
  return Object.assign(scene, { api })
}

const journalEmpty = ({ table }: Scene): Promise<unknown> =>
  eventually('an empty journal', async () => (await table.rows(`JOURNAL#${TENANT}`)).length === 0)

/** What the number itself asks of the database, in order; not the container's signs of life, nor the test. */
function callsOf({ aws }: Scene): AwsCall[] {
  const calls: AwsCall[] = []
  aws.watch = call => { if (/(AUTH|JOURNAL|SENT|PACE)#/.test(call.body)) calls.push(call) }
  return calls
}
