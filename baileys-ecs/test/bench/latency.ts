import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../src/concurrency/backoff.js'
import type { Contestant } from './contestants.js'
import type { Arena } from './arena.js'

export interface Load {
  /** Messages a second, over all customers of one number, at random moments. */
  readonly rate: number
  readonly seconds: number
  readonly random: Random
}

/** From the stanza's leaving WhatsApp's server to the webhook, in ms, for each message that the customers of one number write. */
export async function stanzaToWebhook({ receiver }: Arena, contestant: Contestant, { rate, seconds, random }: Load): Promise<number[]> {
  const [line] = contestant.lines
  if (line === undefined) throw new Error(`${contestant.name} has no number: link one`)
  const sentAt = new Map<string, number>()
  const saying: Promise<unknown>[] = []
  const end = performance.now() + seconds * 1_000
  while (performance.now() < end) {
    const customer = line.customers[Math.floor(random() * line.customers.length)]
    saying.push(customer?.say(line.business, 'Is there a table for two tonight?').then(id => sentAt.set(id, performance.now())) ?? Promise.resolve())
    await delay(-Math.log(1 - random()) * 1_000 / rate)
  }
  await Promise.all(saying)
  await contestant.heard([...sentAt.keys()])
  return [...sentAt].map(([id, at]) => (receiver.arrivedAt.get(id) ?? Infinity) - at)
}
