import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Business, Customer } from '@kesher/simulator'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, type Api, type Scene } from '../support/scene.js'

/** Numbers at once: each has one lock, so one number alone would take minutes. */
const NUMBERS = 6
const CUSTOMERS = 2
/** Answers to each customer; 6 x 2 x 26 = 312 in all. */
const ROUNDS = 26
/** Messages of the customer in each round. */
const BURST = [0, 1] as const

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

interface Line {
  readonly tenant: string
  readonly business: Business
  readonly customers: readonly Customer[]
}

describe('answers that cross a customer\'s bursts', () => {
  it('are all decrypted by the customer at the first try with 5-50 ms of store latency, by LID and by phone', async t => {
    const scene = await createScene(t, emulator)
    const lines = await addNumbers(scene)
    const api = await scene.start({ SESSION_POLL_MS: '2000' })
    for (const { tenant, business } of lines) {
      business.scan((await api.qr(tenant)).qr)
      await api.canSend(tenant)
    }
    scene.aws.latencyMs = [5, 50]
    const sent = (await Promise.all(lines.flatMap(line => line.customers.map(customer => talk(scene, api, line, customer))))).flat()
    assert.ok(sent.length >= 300, `${sent.length} answers`)
    const customers = lines.flatMap(line => line.customers)
    await eventually('the answers on the phones', () => customers.every(customer => customer.inbox.after().length >= ROUNDS), 10_000)
    const retries = customers.reduce((sum, { retryRequests }) => sum + retryRequests, 0)
    report(t, `${sent.length} answers, ${retries} not decrypted at the first try`)
    assert.equal(retries, 0)
    assert.deepEqual(customers.map(({ resent }) => resent), customers.map(() => 0)) // and what they wrote was read at once, too
    scene.aws.latencyMs = [0, 0] // what is left to come in needs no patience
    await eventually('every message of a customer', () => scene.webhook.messages().length >= sent.length * BURST.length, 60_000)
    for (const line of lines) for (const customer of line.customers) assert.deepEqual(heard(scene, customer), spoken(customer))
  })
})

async function addNumbers(scene: Scene): Promise<Line[]> {
  return Promise.all(Array.from({ length: NUMBERS }, async (_, n) => {
    const tenant = `line_${n}`
    await scene.table.desire(tenant, { desired: 'linked' })
    const business = scene.simulator.addBusiness({ phone: `97250100000${n}` })
    const customers = Array.from({ length: CUSTOMERS }, (_, c) =>
      scene.simulator.addCustomer({ phone: `9725220${n}000${c}` }, { addressing: c % 2 === 0 ? 'lid' : 'phone' }))
    return { tenant, business, customers }
  }))
}

/** A burst each round, and an answer that is sent while it comes in. */
async function talk({ command, table }: Scene, api: Api, { tenant, business }: Line, customer: Customer): Promise<string[]> {
  const ownerToken = Number((await table.record(tenant))?.['ownerToken'])
  const ids: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const answer = await command(`answer ${round}`, { ownerToken, chatJid: customer.jid(customer.settings.addressing) })
    const burst = async (): Promise<void> => {
      for (const part of BURST) await customer.say(business, `${customer.phone} ${round}.${part}`)
    }
    const [{ status, result }] = await Promise.all([api.send(answer, tenant), burst()])
    assert.equal(status, 200, JSON.stringify(result))
    ids.push(answer.messageId)
  }
  return ids
}

const spoken = ({ phone }: Customer): string[] =>
  Array.from({ length: ROUNDS }, (_, round) => BURST.map(part => `${phone} ${round}.${part}`)).flat()

const heard = ({ webhook }: Scene, { phone }: Customer): string[] => webhook.texts().filter(text => text.startsWith(`${phone} `))

const report = (t: TestContext, text: string): void => { t.diagnostic(text) }
