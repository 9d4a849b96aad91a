import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Simulator } from '@kesher/simulator'
import { createArena } from '../bench/arena.js'
import type { Contestant, Name } from '../bench/contestants.js'
import { stanzaToWebhook } from '../bench/latency.js'
import { median, percentile } from '../bench/statistics.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { seeded } from '../support/random.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => { await emulator.stop() })

const ONE_WAY_MS = 30
const CHATS = 20
const RATE = 20
const ROUNDS = 5

describe('with 60 ms of round trip to WhatsApp', () => {
  it('20 messages a second over 20 chats reach the webhook within 3 x what bare Baileys needs (p99)', async t => {
    const arena = await createArena(t, emulator)
    const names = ['gateway', 'bare Baileys, in memory'] as const
    const contestants = [await arena.enter(names[0]), await arena.enter(names[1])]
    for (const contestant of contestants) await contestant.link(CHATS)
    arena.network.oneWayMs = ONE_WAY_MS
    const random = seeded(20)
    const p99: Record<string, number[]> = { [names[0]]: [], [names[1]]: [] }
    for (let round = 0; round < ROUNDS; round++) {
      for (const contestant of contestants) {
        p99[contestant.name]?.push(percentile(await stanzaToWebhook(arena, contestant, { rate: RATE, seconds: 2.5, random }), 0.99))
      }
    }
    const [ours, bare] = names.map(name => median(p99[name] ?? [])) as [number, number]
    t.diagnostic(`p99 of ${ROUNDS} rounds, median: gateway ${ours.toFixed(0)} ms, bare Baileys ${bare.toFixed(0)} ms`)
    assert.ok(ours < 3 * bare, `${ours} ms, ${bare} ms`)
  })
})

describe('an answer\'s way to the wire', () => {
  it('asks WhatsApp nothing that bare Baileys does not ask, neither the first time nor later', async t => {
    const [ours, bare] = [await asked(t, 'gateway'), await asked(t, 'bare Baileys, in memory')]
    t.diagnostic(`gateway: ${JSON.stringify(ours)}, bare: ${JSON.stringify(bare)}`)
    assert.ok(bare.cold.length > 0) // it does ask something
    assert.deepEqual(ours, bare)
  })
})

interface Asked { readonly cold: string[]; readonly warm: string[] }

/** The queries that the server saw before the message itself. */
async function asked(t: TestContext, name: Name): Promise<Asked> {
  const arena = await createArena(t, emulator)
  const contestant = await arena.enter(name)
  await contestant.link(1)
  const send = async (id: string): Promise<string[]> => {
    const before = arena.simulator.log.total
    await answer(contestant, id)
    return queriesBefore(arena.simulator, before, id)
  }
  return { cold: await send('3EB00000000000000A01'), warm: await send('3EB00000000000000A02') }
}

async function answer({ api, lines: [line] }: Contestant, messageId: string): Promise<void> {
  const chatJid = line?.customers[0]?.lidJid ?? ''
  const command = { version: 1, messageId, chatJid, author: 'assistant', content: { kind: 'text', text: 'Yes' }, correlationId: 'c', ownerToken: 1 } as const
  await eventually('the answer', async () => (await api.send(command, line?.tenant)).result.outcome === 'sent')
}

function queriesBefore(simulator: Simulator, index: number, id: string): string[] {
  const stanzas = simulator.log.after(index).filter(({ dir }) => dir === 'in').map(({ stanza }) => stanza)
  const message = stanzas.findIndex(({ tag, attrs }) => tag === 'message' && attrs['id'] === id)
  assert.ok(message >= 0)
  return stanzas.slice(0, message).filter(({ tag, attrs }) => tag === 'iq' && attrs['type'] !== 'result').map(({ attrs }) => `${attrs['xmlns']} ${attrs['type']}`)
}
