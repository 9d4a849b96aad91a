import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Business, Customer } from '@kesher/simulator'
import type { Emulator } from './emulator.js'
import { eventually } from './eventually.js'
import { createScene, type Api, type Scene } from './scene.js'

/** Numbers at once: each has one lock, so one number alone would take minutes. */
const NUMBERS = 6
/** Of each number: one is addressed by LID, one by phone. */
const CUSTOMERS = 2
/** Messages of the customer in each round. */
const BURST = [0, 1] as const

/** Neither a lease nor a deadline is to run out where the machine is busy: this is about ratchets. */
const PATIENT = { SESSION_POLL_MS: '2000', HEARTBEAT_MS: '', LEASE_MS: '120000', STORE_RETRY_MS: '60000', SEND_DEADLINE_MS: '120000', SILENCE_MS: '120000', ACK_PROBE_MS: '60000' }

interface Line {
  readonly tenant: string
  readonly business: Business
  readonly customers: readonly Customer[]
}

export interface Crossed {
  readonly answers: number
  /** Answers that a customer's phone asked for again. */
  readonly retries: number
  /** Messages that a customer's phone had to send again. */
  readonly resent: number
  /** Customers' messages that did not come to the webhook in the order in which they were written. */
  readonly wrong: number
}

export const lineOf = ({ answers, retries, resent, wrong }: Crossed): string =>
  `answers=${answers} asked_for_again=${retries} sent_again_by_customers=${resent} chats_not_in_order=${wrong}`

/** Answers that cross bursts of the customers they go to, by LID and by phone, with 5-50 ms of store latency. */
export async function cross(t: Pick<TestContext, 'after'>, emulator: Emulator, least: number): Promise<Crossed> {
  const rounds = Math.ceil(least / NUMBERS / CUSTOMERS)
  const scene = await createScene(t, emulator)
  const lines = await addNumbers(scene)
  const api = await scene.start(PATIENT)
  for (const { tenant, business } of lines) {
    business.scan((await api.qr(tenant)).qr)
    await api.canSend(tenant)
  }
  scene.aws.latencyMs = [5, 50]
  const sent = (await Promise.all(lines.flatMap(line => line.customers.map(customer => talk(scene, api, line, customer, rounds))))).flat()
  const customers = lines.flatMap(line => line.customers)
  await eventually('the answers on the phones', () => customers.every(customer => customer.inbox.after().length >= rounds))
  scene.aws.latencyMs = [0, 0] // what is left to come in needs no patience
  await eventually('every message of a customer', () => new Set(scene.webhook.texts()).size >= sent.length * BURST.length, 120_000)
  return {
    answers: sent.length,
    retries: sum(customers.map(({ retryRequests }) => retryRequests)),
    resent: sum(customers.map(({ resent }) => resent)),
    wrong: customers.filter(customer => heard(scene, customer).join() !== spoken(customer, rounds).join()).length,
  }
}

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
async function talk({ command, table }: Scene, api: Api, { tenant, business }: Line, customer: Customer, rounds: number): Promise<string[]> {
  const ownerToken = Number((await table.record(tenant))?.['ownerToken'])
  const ids: string[] = []
  for (let round = 0; round < rounds; round++) {
    const answer = await command(`answer ${round}`, { ownerToken, chatJid: customer.jid(customer.settings.addressing) })
    const burst = async (): Promise<void> => {
      for (const part of BURST) await customer.say(business, `${customer.phone} ${round}.${part}`)
    }
    const [{ status, result }] = await Promise.all([api.send(answer, tenant), burst()])
    assert.equal(status, 200, `${JSON.stringify(result)}\n${api.lines.filter(line => !line.includes('"level":"info"')).slice(-8).join('\n')}`)
    ids.push(answer.messageId)
  }
  return ids
}

const spoken = ({ phone }: Customer, rounds: number): string[] =>
  Array.from({ length: rounds }, (_, round) => BURST.map(part => `${phone} ${round}.${part}`)).flat()

/** As a webhook that de-duplicates has it: a delivery that timed out is repeated. */
const heard = ({ webhook }: Scene, { phone }: Customer): string[] => [...new Set(webhook.texts().filter(text => text.startsWith(`${phone} `)))]

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
