import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { SendCommand } from '@kesher/contracts'
import { Load, seeded, type Pair } from '@kesher/simulator'
import { freePort, type Emulator } from './emulator.js'
import { eventually } from './eventually.js'
import { Api, createScene, TENANT, type Scene } from './scene.js'

/** What was written and what arrived, counted at both ends: the webhook that de-duplicates by id, and the phones. */
export interface Counts {
  /** Customers' messages that the webhook has, each under the id that the customer's phone gave it. */
  readonly received: number
  /** Customers' messages that the webhook does not have; while traffic runs, some are on their way. */
  readonly lost: number
  /** Messages that the webhook has under an id that no phone gave, or with another text. */
  readonly doubled: number
  /** Answers that a phone shows, each under the id that its command gave. */
  readonly sent: number
  /** Messages that a phone shows and that no command gave it under this id. */
  readonly sentTwice: number
  /** Answers that no phone shows; while traffic runs, some are on their way. */
  readonly unsent: number
  /** Customers' messages that reached the webhook before an earlier one of the same chat. */
  readonly disordered: number
}

export const lineOf = ({ received, lost, doubled, sent, sentTwice }: Pick<Counts, 'received' | 'lost' | 'doubled' | 'sent' | 'sentTwice'>): string =>
  `received=${received} lost=${lost} doubled=${doubled} sent=${sent} sent_twice=${sentTwice}`

/** The same while traffic runs: what is not there yet is not lost. */
export const progressOf = ({ received, lost, doubled, sent, sentTwice, unsent }: Counts): string =>
  `received=${received} (${lost} on their way) doubled=${doubled} sent=${sent} (${unsent} on their way) sent_twice=${sentTwice}`

/** What the line of counts does not name. */
export const faultsOf = ({ unsent, disordered }: Counts): string => `never_arrived=${unsent} out_of_order=${disordered}`

/** Messages that were lost, doubled or out of order, either way. */
export const harm = ({ lost, doubled, sentTwice, unsent, disordered }: Counts): number =>
  lost + doubled + sentTwice + unsent + disordered

/** After the traffic something must come within this as long as anything is missing, on a busy machine, too. */
const PATIENCE_MS = 120_000

export const sumOf = (counts: readonly Counts[]): Counts => counts.reduce((a, b) => ({
  received: a.received + b.received, lost: a.lost + b.lost, doubled: a.doubled + b.doubled, sent: a.sent + b.sent,
  sentTwice: a.sentTwice + b.sentTwice, unsent: a.unsent + b.unsent, disordered: a.disordered + b.disordered,
}))

/** One number with one customer: messages both ways, counted. */
export interface Chat extends Pair {
  readonly tenant: string
  /** Message id -> text. */
  readonly answered: Map<string, string>
}

/** Numbers under steady traffic in both directions, whatever happens to the containers that hold them. */
export class Traffic {
  readonly chats: Chat[] = []
  readonly #scene: Scene
  readonly #stop = new AbortController()
  readonly #running: Promise<void>[] = []
  readonly #failures: unknown[] = []
  /** The customers' side. */
  #load: Load | undefined
  #stoppedAt: number | undefined

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** Links `count` more numbers, each through the gateway that claims it. */
  async link(gateways: readonly Api[], count: number): Promise<void> {
    const { simulator, table } = this.#scene
    for (let i = this.chats.length, last = i + count; i < last; i++) {
      const tenant = `number_${i}`
      const business = simulator.addBusiness({ phone: `9725501${String(i).padStart(5, '0')}`, name: `Shop ${i}` })
      const customer = simulator.addCustomer({ phone: `9725502${String(i).padStart(5, '0')}`, name: `Customer ${i}` })
      await table.desire(tenant, { desired: 'linked' })
      const gateway = await eventually(`an owner of ${tenant}`, async () => {
        const url = (await table.record(tenant))?.['ownerUrl']
        return gateways.find(candidate => candidate.url === url)
      })
      await this.#scene.pair(gateway, tenant, business)
      this.chats.push({ tenant, business, customer, answered: new Map() })
    }
  }

  /** @param everyMs mean distance between two messages of one direction of one chat */
  start(everyMs: number): void {
    this.#load = new Load(this.chats, { everyMs })
    for (const chat of this.chats) {
      this.#running.push(this.#answers(everyMs, chat).catch((error: unknown) => { this.#failures.push(error) }))
    }
  }

  /** Ends the traffic and waits for all that is on its way; gives the counts. */
  async settle(): Promise<Counts> {
    this.#stop.abort()
    this.#stoppedAt = Date.now()
    await Promise.all([this.#load?.stop(), ...this.#running])
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'the traffic itself broke down')
    for (let missing = this.#missing(), before = Infinity; missing > 0 && missing < before;) {
      before = missing
      // The counts say what stays away; as long as something still comes, a busy machine has its time.
      await eventually('what is missing', () => this.#missing() < before, PATIENCE_MS).catch(() => undefined)
      missing = this.#missing()
    }
    return this.counts()
  }

  #missing(): number {
    const { lost, unsent } = this.counts()
    return lost + unsent
  }

  counts(): Counts {
    const webhook = this.#received()
    const counts = { received: 0, lost: 0, doubled: 0, sent: 0, sentTwice: 0, unsent: 0, disordered: 0 }
    for (const [at, { written, shown: seen }] of (this.#load?.chats ?? []).entries()) {
      const { tenant, answered } = this.chats[at] as Chat
      const reported = webhook.get(tenant) ?? []
      const heard = compare(written, reported)
      const shown = compare(answered, seen.map(({ id, text }) => [id, text ?? '']))
      counts.received += heard.right
      counts.lost += heard.missing
      counts.doubled += heard.wrong
      counts.sent += shown.right
      counts.unsent += shown.missing
      counts.sentTwice += shown.wrong
      counts.disordered += disorder([...written.keys()], reported.map(([id]) => id))
    }
    return counts
  }

  /** What a webhook that de-duplicates by tenant and id has: tenant -> id and text. */
  #received(): Map<string, [string, string][]> {
    const seen = new Set<string>()
    const byTenant = new Map<string, [string, string][]>()
    for (const { tenantId, messageId, content, fromMe } of this.#scene.webhook.messages()) {
      if (fromMe || seen.has(`${tenantId} ${messageId}`)) continue
      seen.add(`${tenantId} ${messageId}`)
      const messages = byTenant.get(tenantId) ?? []
      byTenant.set(tenantId, messages)
      messages.push([messageId, content.kind === 'text' ? content.text : content.kind])
    }
    return byTenant
  }

  async #answers(everyMs: number, chat: Chat): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#answer(chat)
      await delay(everyMs * (0.5 + Math.random()))
    }
  }

  /**
   * As the send function does: one id for ever, the owner looked up for each attempt, repeated until it is acknowledged,
   * however long the killing lasts.
   */
  async #answer(chat: Chat): Promise<void> {
    const text = `${chat.tenant} answers ${chat.answered.size}`
    const base = await this.#scene.command(text, { chatJid: chat.customer.lidJid })
    chat.answered.set(base.messageId, text)
    while (await this.#attempt(chat.tenant, base) !== 'sent') {
      if (this.#stoppedAt !== undefined && Date.now() > this.#stoppedAt + PATIENCE_MS) return // counted as unsent
      await delay(100)
    }
  }

  async #attempt(tenant: string, command: SendCommand): Promise<string> {
    const record = await this.#scene.table.record(tenant)
    const { ownerUrl, ownerToken } = record ?? {}
    if (typeof ownerUrl !== 'string') return 'unavailable'
    const api = new Api(ownerUrl, [], () => Promise.resolve())
    return api.send({ ...command, ownerToken: Number(ownerToken) }, tenant).then(({ result }) => result.outcome, () => 'lost')
  }
}

/** How what should be there compares with what is there. */
function compare(due: ReadonlyMap<string, string>, there: readonly (readonly [string, string])[]): { right: number; missing: number; wrong: number } {
  const right = new Set(there.filter(([id, text]) => due.get(id) === text).map(([id]) => id)).size
  return { right, missing: due.size - right, wrong: there.length - right }
}

/** How many ids came before one that was written earlier. */
function disorder(written: readonly string[], came: readonly string[]): number {
  const place = new Map(written.map((id, at) => [id, at]))
  let last = -1
  let wrong = 0
  for (const at of came.flatMap(id => place.get(id) ?? [])) {
    if (at < last) wrong++
    last = Math.max(last, at)
  }
  return wrong
}

/** The settings as they come: a lease made short for a test runs out when the machine is busy starting containers. */
export const AS_THEY_COME = { LOG_LEVEL: 'info', SESSION_POLL_MS: '', HEARTBEAT_MS: '', LEASE_MS: '', REBALANCE_MS: '' }

export interface ChaosOptions {
  readonly kills: number
  /** Gives the moments of the kills: the same seed, the same moments. */
  readonly seed: number
  readonly progress: (line: string) => void
  /** Raised to kill no more and count. */
  readonly enough?: AbortSignal
}

/** Every second kill comes so soon that it hits the start or the login, the others so long after all numbers can send. */
const SOON_MS = 3_000
const IN_TRAFFIC_MS = 5_000

/**
 * Kills the gateway with -9 at random moments under traffic on five numbers; counts at the end.
 *
 * It comes back at the same address, as after a crash of a process; the other way, a lease that runs out, is `leases.test.ts`.
 */
export async function chaos(
  t: Pick<TestContext, 'after'>, emulator: Emulator, { kills, seed, progress, enough }: ChaosOptions,
): Promise<Counts> {
  const random = seeded(seed)
  const scene = await createScene(t, emulator, { ...AS_THEY_COME, PORT: String(await freePort()) })
  scene.aws.latencyMs = [1, 10]
  let gateway = await scene.spawn()
  const traffic = new Traffic(scene)
  await traffic.link([gateway], 5)
  traffic.start(400)
  for (let kill = 1; kill <= kills && enough?.aborted !== true; kill++) {
    if (random() < 0.5) await delay(random() * SOON_MS)
    else {
      for (const { tenant } of traffic.chats) await gateway.canSend(tenant)
      await delay(random() * IN_TRAFFIC_MS)
    }
    await gateway.process.kill('SIGKILL')
    gateway = await scene.spawn()
    if (kill % 10 === 0) progress(`${kill} kills: ${progressOf(traffic.counts())}`)
  }
  return traffic.settle()
}

/** Two containers that share the numbers are replaced by two others, as ECS does it: the new ones are up before the old ones stop. */
export async function rollingReplacement(
  t: Pick<TestContext, 'after'>, emulator: Emulator, numbers: number, progress: (line: string) => void,
): Promise<Counts> {
  const scene = await createScene(t, emulator, AS_THEY_COME)
  await scene.table.desire(TENANT, { desired: 'stopped' })
  const traffic = new Traffic(scene)
  const old = [await scene.spawn(), await scene.spawn()]
  await traffic.link(old, numbers)
  const owners = (): Promise<unknown[]> =>
    Promise.all(traffic.chats.map(async ({ tenant }) => (await scene.table.record(tenant))?.['ownerUrl']))
  const watch = new AbortController()
  const gaps = measureGaps(traffic.chats, watch.signal)
  traffic.start(75 * numbers)
  const fresh = [await scene.spawn(), await scene.spawn()]
  await Promise.all(old.map(container => container.stop()))
  await eventually('all numbers at the new containers', async () => (await owners()).every(url => fresh.some(container => container.url === url)))
  for (const { tenant, business } of traffic.chats) await eventually(`${tenant} connected`, () => business.connected)
  const counts = await traffic.settle()
  watch.abort()
  const sorted = (await gaps).sort((a, b) => a - b)
  progress(`gap of ${sorted.length} hand-offs: median ${sorted[Math.floor(sorted.length / 2)] ?? 0} ms, longest ${sorted.at(-1) ?? 0} ms`)
  return counts
}

/** How long each number had no connection, each time, in ms. */
async function measureGaps(chats: readonly Chat[], signal: AbortSignal): Promise<number[]> {
  const gaps: number[] = []
  const away = new Map<string, number>()
  while (!signal.aborted) {
    for (const { tenant, business } of chats) {
      const since = away.get(tenant)
      if (!business.connected) away.set(tenant, since ?? performance.now())
      else if (since !== undefined) {
        gaps.push(Math.round(performance.now() - since))
        away.delete(tenant)
      }
    }
    await delay(20)
  }
  return gaps
}
