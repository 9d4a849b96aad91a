/**
 * `python -m benchmarks gateway`: the gateway beside bare Baileys in memory and on the same table, on the same simulator, in
 * the same run: rounds alternate, so that what else the machine does falls on all of them. `IDLE=1,10` asks for fewer idle numbers.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { seeded } from '@kesher/simulator'
import { whole } from '../support/arguments.js'
import { inArena, type Arena } from './arena.js'
import { CONTESTANTS, type Contestant } from './contestants.js'
import { handover } from './handover.js'
import { stanzaToWebhook } from './latency.js'
import { costOf, type Cost } from './process-cost.js'
import { acknowledgedSends } from './sends.js'
import { median, percentile } from './statistics.js'

const ROUNDS = whole('ROUNDS', 5, 1)
const SECONDS = 4
const WARM_UP_SECONDS = 2
const RATE = 20
const CHATS = 20
const ONE_WAY_MS = 30
const LOOKS = Math.min(ROUNDS, 3)
const LOOK_ON_MS = 5_000
/** After the last pairing, until its key uploads and history are through. */
const SETTLE_MS = 5_000
/** Sockets that pair at once. */
const PAIRING = 5
const idle = (process.env['IDLE'] ?? '1,10,50,100').split(',').map(Number)

const say = (line = ''): void => { process.stdout.write(`${line}\n`) }
const table = (head: readonly string[], rows: readonly (readonly string[])[]): void => {
  for (const row of [head, head.map((_, i) => i === 0 ? '---' : '---:'), ...rows]) say(`| ${row.join(' | ')} |`)
  say()
}
const perRound = async <T>(contestants: readonly Contestant[], measure: (contestant: Contestant) => Promise<T[]>, rounds = ROUNDS): Promise<Map<Contestant, T[]>> => {
  const values = new Map<Contestant, T[]>(contestants.map(contestant => [contestant, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) values.get(contestant)?.push(...await measure(contestant))
  }
  return values
}
const times = (value: number, base: number): string => `${(value / base).toFixed(1)} x`

async function traffic(arena: Arena): Promise<void> {
  const contestants: Contestant[] = []
  for (const name of CONTESTANTS) {
    const contestant = await arena.enter(name)
    await contestant.link(CHATS)
    contestants.push(contestant)
  }
  const base = <T>(values: ReadonlyMap<Contestant, T>): T => values.get(contestants[1] as Contestant) as T

  for (const contestant of contestants) await acknowledgedSends(contestant, WARM_UP_SECONDS) // devices are asked for once, code is compiled
  const sends = await perRound(contestants, async contestant => [await acknowledgedSends(contestant, SECONDS)])
  say(`Acknowledged sends a second through one number, ${CHATS} chats at once, median of ${ROUNDS} rounds of ${SECONDS} s:\n`)
  table(['', 'sends/s', 'of bare Baileys in memory'], [...sends].map(([{ name }, rates]) =>
    [name, median(rates).toFixed(0), times(median(rates), median(base(sends)))]))

  for (const oneWayMs of [0, ONE_WAY_MS]) {
    arena.network.oneWayMs = oneWayMs
    const random = seeded(1)
    const latencies = await perRound(contestants, contestant => stanzaToWebhook(arena, contestant, { rate: RATE, seconds: SECONDS, random }))
    const [p50, p99] = [0.5, 0.99].map(share => percentile(base(latencies), share)) as [number, number]
    say(`From stanza to webhook with ${2 * oneWayMs} ms of round trip to WhatsApp, ${RATE} messages a second over ${CHATS} chats, ms:\n`)
    table(['', 'messages', 'p50', 'p99', 'p50 and p99 of bare Baileys in memory'], [...latencies].map(([{ name }, ms]) => [
      name, String(ms.length), percentile(ms, 0.5).toFixed(0), percentile(ms, 0.99).toFixed(0),
      `${times(percentile(ms, 0.5), p50)}, ${times(percentile(ms, 0.99), p99)}`,
    ]))
  }
}

async function idling(arena: Arena): Promise<void> {
  const contestants: Contestant[] = []
  for (const name of CONTESTANTS) contestants.push(await arena.enter(name))
  const rows: string[][] = []
  for (const numbers of idle) {
    const row = [String(numbers)]
    for (const contestant of contestants) {
      while (contestant.lines.length < numbers) {
        await Promise.all(Array.from({ length: Math.min(PAIRING, numbers - contestant.lines.length) }, () => contestant.link(1)))
      }
    }
    await delay(SETTLE_MS)
    const costs = await perRound(contestants, async ({ process }) => [await costOf(process, LOOK_ON_MS)], LOOKS)
    for (const seen of costs.values()) {
      const of = (what: keyof Cost): number => median(seen.map(cost => cost[what]))
      row.push(of('megabytes').toFixed(0), of('heldMegabytes').toFixed(1), `${of('cpuPercent').toFixed(1)} %`, `${(of('cpuPercent') / numbers).toFixed(2)} %`)
    }
    rows.push(row)
  }
  say(`Idle numbers, median of ${LOOKS} looks of ${LOOK_ON_MS / 1_000} s: resident memory, objects and buffers after a full collection, both in MB (Node and its TypeScript`)
  say('loader included), and share of one core, in all and for each number:\n')
  table(['numbers', ...CONTESTANTS.flatMap(name => [`${name}: resident`, 'held', 'CPU', 'each'])], rows)
}

async function handovers(arena: Arena): Promise<void> {
  const rows: string[][] = []
  for (const [what, signal] of [['kill -9', 'SIGKILL'], ['clean stop', 'SIGTERM']] as const) {
    const gaps: number[] = []
    for (let round = 0; round < Math.min(ROUNDS, 3); round++) gaps.push(await handover(arena, signal))
    rows.push([what, (median(gaps) / 1_000).toFixed(1), (Math.max(...gaps) / 1_000).toFixed(1)])
  }
  say('From the end of a container until the other one holds its number, default settings, s:\n')
  table(['', 'median', 'longest'], rows)
}

for (const part of [traffic, handovers, idling]) await inArena(part)
process.exit() // timers of Baileys outlive its sockets
