import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Simulator } from '@kesher/simulator'
import type { Random } from '../../src/concurrency/backoff.js'
import { createArena, type Arena } from '../bench/arena.js'
import type { Contestant, Name } from '../bench/contestants.js'
import { stanzaToWebhook } from '../bench/latency.js'
import { percentile } from '../bench/statistics.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { seeded } from '../support/random.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => { await emulator.stop() })

const ONE_WAY_MS = 30
const CHATS = 20
const RATE = 20
const SECONDS = 5
const MAX_ROUNDS = 5

describe('with 60 ms of round trip to WhatsApp', () => {
  it('20 messages a second over 20 chats reach the webhook within 3 x what bare Baileys needs (p99)', async t => {
    const arena = await createArena(t, emulator)
    const contestants = [await arena.enter('gateway'), await arena.enter('bare Baileys, in memory')] as const
    for (const contestant of contestants) await contestant.link(CHATS)
    arena.network.oneWayMs = ONE_WAY_MS
    const random = seeded(20)
    const rounds: { readonly ours: number; readonly bare: number }[] = []
    // What else a machine does only adds to either; a gateway that waits a round trip for each message is busy for 1.2 s
    // in each second of this, and fails in every round.
    for (let round = 0; round < MAX_ROUNDS && !rounds.some(isNear); round++) {
      const [ours, bare] = [await p99(arena, contestants[0], random), await p99(arena, contestants[1], random)]
      t.diagnostic(`p99: gateway ${ours.toFixed(0)} ms, bare Baileys ${bare.toFixed(0)} ms`)
      rounds.push({ ours, bare })
    }
    assert.ok(rounds.some(isNear), JSON.stringify(rounds))
  })
})

const isNear = ({ ours, bare }: { readonly ours: number; readonly bare: number }): boolean => ours < 3 * bare

const p99 = async (arena: Arena, contestant: Contestant, random: Random): Promise<number> =>
  percentile(await stanzaToWebhook(arena, contestant, { rate: RATE, seconds: SECONDS, random }), 0.99)

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
  return stanzas.slice(0, message).filter(({ tag, attrs }) => tag === 'iq' && attrs['type'] !== 'result')
    .map(({ attrs }) => `${attrs['xmlns']} ${attrs['type']}`)
    .filter(query => query !== 'privacy set') // a token for the contact, that Baileys sends some time behind the first message; nothing waits for it
}
