/**
 * `make latency-gateway`: from WhatsApp's server to the webhook, 60 ms of round trip away, 20 messages a second over 20 chats, through
 * the gateway and through bare Baileys in turn. Ends with the figures in ms, and with 1 if the gateway's p99 is more than three
 * times bare Baileys'.
 *
 * Each round has its own two p99s, taken one right after the other, first the one, then the other; their medians are compared. So a
 * stall of the machine, which 1 % of a round is too few to bear, spoils its round, whomever it meets, and not the verdict.
 */
import { seeded } from '@kesher/simulator'
import { createArena, type Arena } from '../bench/arena.js'
import type { Contestant } from '../bench/contestants.js'
import { stanzaToWebhook } from '../bench/latency.js'
import { median, percentile } from '../bench/statistics.js'
import { whole } from '../support/arguments.js'
import { longRun } from '../support/long-run.js'

const ROUNDS = whole('ROUNDS', 9, 1)
const SECONDS = whole('SECONDS', 10, 1)
const RATE = 20
const CHATS = 20
const ONE_WAY_MS = 30
const MOST = 3
/** The first messages after a start run code that is not compiled yet. */
const WARM_UP_SECONDS = 5
/** A busy machine must not cost the gateway its lease: this is about time, not about owners. */
const PATIENT = { LEASE_MS: '120000', SILENCE_MS: '120000', STORE_RETRY_MS: '60000' }

/** The latencies of one contestant, round by round. */
class Rounds {
  readonly #rounds: number[][] = []

  constructor(readonly contestant: Contestant) {}

  async run(arena: Arena): Promise<void> {
    this.#rounds.push(await stanzaToWebhook(arena, this.contestant, { rate: RATE, seconds: SECONDS, random }))
  }

  get messages(): number {
    return this.#rounds.flat().length
  }

  get last(): number {
    return percentile(this.#rounds.at(-1) ?? [], 0.99)
  }

  /** The median round's. */
  at(share: number): number {
    return median(this.#rounds.map(latencies => percentile(latencies, share)))
  }
}

const random = seeded(20)

await longRun(async ({ t, emulator, say, enough }) => {
  const arena = await createArena(t, emulator)
  const [ours, bare] = [new Rounds(await arena.enter('gateway', PATIENT)), new Rounds(await arena.enter('bare Baileys, in memory'))]
  for (const { contestant } of [ours, bare]) {
    await contestant.link(CHATS)
    await stanzaToWebhook(arena, contestant, { rate: RATE, seconds: WARM_UP_SECONDS, random })
  }
  arena.network.oneWayMs = ONE_WAY_MS
  for (let round = 0; round < ROUNDS && !(enough.aborted && round > 0); round++) {
    for (const one of round % 2 === 0 ? [ours, bare] : [bare, ours]) await one.run(arena)
    say(`round ${round + 1}: p99=${ours.last.toFixed(0)} bare_p99=${bare.last.toFixed(0)}`)
  }
  const ratio = ours.at(0.99) / bare.at(0.99)
  const figures = { p50: ours.at(0.5), p99: ours.at(0.99), bare_p50: bare.at(0.5), bare_p99: bare.at(0.99) }
  return {
    holds: ratio <= MOST,
    line: [`messages=${ours.messages}`, ...Object.entries(figures).map(([name, ms]) => `${name}=${ms.toFixed(0)}`), `ratio=${ratio.toFixed(1)}`].join(' '),
  }
})
