import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { SendCommand } from '@kesher/contracts'
import { NOTICES, seeded, type Ending } from '@kesher/simulator'
import { MediaBucket } from '../../src/store/media.js'
import { createBucket } from './bucket.js'
import { AS_THEY_COME, type Counts } from './chaos.js'
import { converse, endSocket, type Stage } from './conversation.js'
import type { Emulator } from './emulator.js'
import { eventually } from './eventually.js'
import { Ledger, type Party } from './ledger.js'
import { memoryOf, MEGABYTE, type Memory } from './memory.js'
import { createScene, TENANT, type Scene } from './scene.js'
import { SESSION_INDEX } from './table.js'

/**
 * A busy day of three businesses. Each hour and number: 45 conversations, a quarter of them with somebody who wrote before today,
 * the others with people whom the number has never seen; two posts in a group, a story, a call, a notice of each kind that WhatsApp sends;
 * one reconnect, every second time because the network or WhatsApp ended the socket, else because a restart was asked for. WhatsApp's server
 * itself restarts every fourth hour; every third one the webhook is away for two minutes.
 */
export const DAY = {
  numbers: 3, conversationsAnHour: 45, returning: 0.25, slotsAnHour: 6, serverRestartsEvery: 4, webhookDownEvery: 3, webhookDownMs: 120_000,
} as const
/** Ends that Baileys and the gateway answer with a new socket. */
const ENDS: readonly Ending[] = ['close', 'tcp', 'streamend', 'restart', 'xml', 'ack']
const HOUR_MS = 3_600_000
/** An hour passes in a minute, or slower on a machine that does not get its messages done. */
export const COMPRESSION = 60
/** People act faster than this, so that a conversation fits into its slot. */
const THINK_MS = 400
/** When nothing more has come for so long, nothing more will. */
const STILL_MS = 60_000
const GROUP = '120363000000000001@g.us'

/** What time drives, as often in a compressed hour as in a real one. */
function compressed(by: number): Readonly<Record<string, string>> {
  const shortened = { HEARTBEAT_MS: 1_500, SESSION_POLL_MS: 1_000, METRICS_PERIOD_MS: 60_000, COMPOSING_MS: 4_000, RECONNECT_BASE_MS: 1_000 }
  return {
    ...AS_THEY_COME, ...Object.fromEntries(Object.entries(shortened).map(([name, ms]) => [name, String(Math.max(10, Math.round(ms / by)))])),
    // Deadlines are not shortened: the machine is no faster. A lease of 150 ms would lapse at each collection of garbage.
    LEASE_MS: '60000', SESSION_INDEX,
  }
}

export interface SoakOptions {
  readonly hours: number
  readonly seed: number
  /** Left out before the samples: the caches of {@link DAY} are full by then. In hours. */
  readonly warmUp: number
  readonly progress: (line: string) => void
  readonly enough?: AbortSignal
  /** Folder for heap snapshots, after the warm-up and at the end. */
  readonly snapshots?: string
}

export interface Soaked {
  readonly counts: Counts
  readonly messages: number
  /** After the warm-up, one every ten minutes of the day, each when everything had arrived. */
  readonly samples: readonly Memory[]
  readonly reconnects: number
  readonly beats: number
}

/** Lives through so many hours of {@link DAY}, and looks at the gateway's memory. */
export async function soak(t: Pick<TestContext, 'after'>, emulator: Emulator, { hours, seed, warmUp, progress, enough, snapshots }: SoakOptions): Promise<Soaked> {
  const town = await Town.found(t, emulator, seed)
  const samples: Memory[] = []
  const snapshot = async (name: string): Promise<void> => {
    if (snapshots !== undefined) await memoryOf(town.process, `${snapshots}/${name}.heapsnapshot`)
  }
  const isOver = (): boolean => enough?.aborted === true
  for (let hour = 0; hour < hours && !isOver(); hour++) {
    if (hour === warmUp) await snapshot('warm')
    for (let slot = 0; slot < DAY.slotsAnHour && !isOver(); slot++) {
      await town.live(hour, slot)
      const sample = await memoryOf(town.process)
      if (hour >= warmUp) samples.push(sample)
      if (slot === DAY.slotsAnHour - 1) progress(`hour ${hour + 1} of ${hours}: ${town.line(sample)}`)
    }
  }
  await snapshot('end')
  for (const lost of town.missing) progress(`missing: ${lost}`)
  return { ...await town.end(), samples }
}

/** The businesses, their customers and the gateway between them. */
class Town {
  readonly #newest: Party[][]
  #people = 0
  #givenUp = 0
  readonly #started = performance.now()

  private constructor(
    private readonly scene: Scene, private readonly gateway: Awaited<ReturnType<Scene['spawn']>>, private readonly stage: Stage,
    private readonly businesses: readonly Pick<Party, 'tenant' | 'business'>[],
  ) {
    this.#newest = businesses.map(() => [])
  }

  static async found(t: Pick<TestContext, 'after'>, emulator: Emulator, seed: number): Promise<Town> {
    const bucket = await createBucket(emulator.url)
    const scene = await createScene(t, emulator, { ...compressed(COMPRESSION), MEDIA_BUCKET: bucket.name })
    await scene.table.desire(TENANT, { desired: 'stopped' })
    const gateway = await scene.spawn({}, { main: 'compiled', probed: true })
    const businesses = Array.from({ length: DAY.numbers }, (_, n) =>
      ({ tenant: `shop_${n}`, business: scene.simulator.addBusiness({ phone: `9725503${String(n).padStart(5, '0')}`, name: `Shop ${n}` }) }))
    for (const { tenant, business } of businesses) {
      await scene.table.desire(tenant, { desired: 'linked' })
      await scene.pair(gateway, tenant, business)
    }
    const ledger = new Ledger(scene.webhook)
    const stage: Stage = {
      ledger, random: seeded(seed), thinkMs: THINK_MS, file: await brochure(emulator, bucket.name),
      answer: (party, content, more) => answer(scene, gateway, ledger, party, content, more),
    }
    return new Town(scene, gateway, stage, businesses)
  }

  get process(): Awaited<ReturnType<Scene['spawn']>>['process'] {
    return this.gateway.process
  }

  get missing(): readonly string[] {
    return this.stage.ledger.missing
  }

  /** Ten minutes of the day; resolves when all that was written in them has arrived. */
  async live(hour: number, slot: number): Promise<void> {
    const ms = HOUR_MS / DAY.slotsAnHour / COMPRESSION
    const talks = this.businesses.flatMap((_, n) => this.#talks(n, hour, slot))
    await Promise.all([
      delay(ms), this.#world(hour, slot), ...talks.map(async party => {
        await delay(this.stage.random() * ms / 2)
        await converse(this.stage, party)
      }),
    ])
    await this.#quiet()
    for (const { tenant } of this.businesses) await this.gateway.canSend(tenant)
  }

  /** As long as something still comes, a busy machine has its time; what stays away is in the counts, and is not waited for again. */
  async #quiet(): Promise<void> {
    const { ledger } = this.stage
    for (let missing = ledger.missing.length; missing > this.#givenUp;) {
      const before = missing
      await eventually('what is missing', () => ledger.missing.length < before, STILL_MS).catch(() => { this.#givenUp = before })
      missing = ledger.missing.length
    }
  }

  line({ held, resident }: Memory): string {
    const { received, lost, doubled, sent, unsent, sentTwice } = this.stage.ledger.counts()
    const { statuses, undecryptable, others } = this.stage.ledger
    return `received=${received} sent=${sent} statuses=${statuses} others=${others} undecryptable=${undecryptable} missing=${lost + unsent} wrong=${doubled + sentTwice} `
      + `reconnects=${this.#reconnects} heap=${(held / MEGABYTE).toFixed(2)} MB rss=${(resident / MEGABYTE).toFixed(0)} MB after ${Math.round((performance.now() - this.#started) / 1_000)} s`
  }

  async end(): Promise<Omit<Soaked, 'samples'>> {
    const { ledger } = this.stage
    const counts = ledger.settle()
    const [container] = await this.scene.table.rows('CONTAINERS')
    return {
      counts, reconnects: this.#reconnects, beats: Number(container?.['beat'] ?? 0),
      messages: counts.received + counts.sent + ledger.statuses + ledger.others + ledger.undecryptable,
    }
  }

  get #reconnects(): number {
    return this.businesses.reduce((sum, { business }) => sum + [...business.devices.values()].reduce((logins, device) => logins + device.logins, 0), 0)
  }

  /** With whom a number talks in one slot. */
  #talks(n: number, hour: number, slot: number): Party[] {
    const { random } = this.stage
    const at = hour * DAY.slotsAnHour + slot
    const perSlot = DAY.conversationsAnHour / DAY.slotsAnHour
    const count = Math.floor((at + 1) * perSlot) - Math.floor(at * perSlot)
    const known = this.#newest[n] ?? []
    const before = known.length
    const returning = new Set(Array.from({ length: count }, () => random() < DAY.returning ? known[Math.floor(random() * before)] : undefined))
    returning.delete(undefined)
    const parties = [...returning] as Party[]
    while (parties.length < count) {
      const party = this.#newcomer(n)
      known.push(party)
      parties.push(party)
    }
    return parties
  }

  #newcomer(n: number): Party {
    const number = String(++this.#people).padStart(7, '0')
    const customer = this.scene.simulator.addCustomer({ phone: `97253${number}`, name: `Customer ${number}` }, { sendsReadReceipts: this.stage.random() < 0.7 })
    if (this.stage.random() < 0.2) customer.linkDevice()
    return { ...this.businesses[n] as Party, customer }
  }

  /** What happens besides, each in a slot of its own. */
  async #world(hour: number, slot: number): Promise<void> {
    const { simulator, webhook } = this.scene
    if (slot === 0 && hour % DAY.webhookDownEvery === 1) {
      webhook.isDown = true
      await delay(DAY.webhookDownMs / COMPRESSION)
      webhook.isDown = false
    }
    if (slot === 1) for (const [n, { tenant, business }] of this.businesses.entries()) await this.#gossip(n, { tenant, business })
    if (slot === 2 && hour % DAY.serverRestartsEvery === 2) await simulator.restart(500)
    if (slot === 3) {
      await delay(HOUR_MS / DAY.slotsAnHour / COMPRESSION / 3) // amid the conversations
      for (const [n, { tenant }] of this.businesses.entries()) {
        if ((hour + n) % 2 === 0) endSocket(this.businesses[n] as Party, ENDS[(hour + n) / 2 % ENDS.length] ?? 'close')
        else await eventually(`a restart of ${tenant}`, async () => await this.gateway.restart(tenant) === 202)
      }
    }
  }

  async #gossip(n: number, { business }: Pick<Party, 'tenant' | 'business'>): Promise<void> {
    const neighbour = this.#newcomer(n).customer
    await neighbour.sayInGroup(business, GROUP, 'Does anybody know a plumber?')
    await neighbour.sayInGroup(business, GROUP, 'Found one.')
    await neighbour.postStatus(business, 'On holiday!')
    neighbour.call(business)
    for (const kind of NOTICES) business.notify(kind, neighbour)
  }
}

async function brochure(emulator: Emulator, bucketName: string): Promise<SendCommand['content']> {
  const bytes = Buffer.alloc(100_000, '%PDF-1.4 ')
  const hash = createHash('sha256').update(bytes)
  const objectKey = 'media/outgoing/brochure'
  const bucket = new MediaBucket({ bucket: bucketName, region: 'us-east-1', endpoint: emulator.url })
  await bucket.put(objectKey, { bytes, mediaType: 'application/pdf' }, hash.copy().digest('base64'))
  bucket.close()
  return { kind: 'document', mediaType: 'application/pdf', objectKey, bytes: bytes.length, sha256: hash.digest('hex'), fileName: 'prices.pdf' }
}

const SEND_MS = 120_000

/** As the send function does: one id, repeated until it is acknowledged or has given way. */
async function answer(
  { table }: Scene, gateway: Awaited<ReturnType<Scene['spawn']>>, ledger: Ledger, party: Party, content: SendCommand['content'], more: Partial<SendCommand>,
): Promise<void> {
  const messageId = `3EB0${randomUUID().replaceAll('-', '').toUpperCase().slice(0, 18)}`
  const deadline = Date.now() + SEND_MS
  const base = { version: 1 as const, messageId, chatJid: party.customer.lidJid, author: 'assistant' as const, content, correlationId: messageId, ...more }
  ledger.answered(party, { ...base, ownerToken: 0 })
  while (Date.now() < deadline) {
    const ownerToken = Number((await table.record(party.tenant))?.['ownerToken'])
    const outcome = await gateway.send({ ...base, ownerToken }, party.tenant).then(({ result }) => result.outcome, () => 'lost' as const)
    if (outcome === 'sent') {
      ledger.acknowledged(messageId)
      return
    }
    if (outcome === 'refused') throw new Error('WhatsApp refuses nothing in this run: the command is at fault')
    if (outcome === 'superseded') {
      ledger.gaveWay(party, { ...base, ownerToken })
      return
    }
    await delay(100)
  }
}
