import type { Business, Customer } from '@kesher/simulator'
import { AWS_ENVIRONMENT } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { spawnGateway, type GatewayProcess } from '../support/gateway-process.js'
import { Api, SECRET } from '../support/scene.js'
import { createTable, SESSION_INDEX } from '../support/table.js'
import type { Arena } from './arena.js'

/** The gateway, and what it is measured against: bare Baileys of the same version. */
export const CONTESTANTS = ['gateway', 'bare Baileys, in memory', 'bare Baileys, same table'] as const
export type Name = (typeof CONTESTANTS)[number]

/** Bare Baileys has no such limits. */
const UNPACED = { MESSAGES_A_MINUTE: '1000000', NEW_CHATS_A_DAY: '10000' }

/** A number with its customers. */
export interface Line {
  readonly tenant: string
  readonly business: Business
  readonly customers: readonly Customer[]
}

let people = 0
const nextPhone = (): string => `97258${String(++people).padStart(7, '0')}`

/** One program under measurement, in a process of its own. */
export class Contestant {
  readonly lines: Line[] = []
  #linked = 0
  /** The name of its DynamoDB table. */
  readonly table: string
  readonly #arena: Arena
  readonly #desire: (tenant: string) => Promise<unknown>

  private constructor(
    readonly name: Name, readonly process: GatewayProcess, readonly api: Api, table: string, arena: Arena,
    desire: (tenant: string) => Promise<unknown>,
  ) {
    this.table = table
    this.#arena = arena
    this.#desire = desire
  }

  static async start(name: Name, arena: Arena, settings: Readonly<Record<string, string>>): Promise<Contestant> {
    const { simulator, network, receiver, emulator } = arena
    const table = await createTable(emulator.url)
    const common = { ...AWS_ENVIRONMENT, AWS_ENDPOINT_URL: emulator.url, WA_WEBSOCKET_URL: network.url, WEBHOOK_URL: receiver.url }
    const process = name === 'gateway'
      ? await spawnGateway({ ...common, GATEWAY_TABLE: table.name, INTERNAL_SECRET: SECRET, PORT: '0', COMPOSING_MS: '0', ...UNPACED, SESSION_INDEX, ...settings }, simulator, { probed: true })
      : await spawnGateway({ ...common, ...(name === 'bare Baileys, same table' ? { GATEWAY_TABLE: table.name } : {}) }, simulator, { main: 'test/bench/bare-main.ts', probed: true })
    const api = new Api(process.url, process.lines, async () => { await process.kill('SIGTERM') })
    // The gateway claims what is wanted; for bare Baileys the row is only what its writes are checked against.
    return new Contestant(name, process, api, table.name, arena, tenant => table.desire(tenant, name === 'gateway' ? { desired: 'linked' } : { ownerToken: 0 }))
  }

  /** Links one more number, and lets each of its customers write once, so that all sessions exist. */
  async link(customers: number): Promise<Line> {
    const { simulator } = this.#arena
    const tenant = `line_${this.#linked++}`
    await this.#desire(tenant)
    const business = simulator.addBusiness({ phone: nextPhone() })
    business.scan((await this.api.qr(tenant)).qr)
    await this.api.canSend(tenant)
    const line = { tenant, business, customers: Array.from({ length: customers }, () => simulator.addCustomer({ phone: nextPhone() })) }
    this.lines.push(line)
    await this.heard(await Promise.all(line.customers.map(customer => customer.say(business, 'hello'))))
    return line
  }

  /** Resolves when the webhook has these messages. */
  async heard(ids: readonly string[]): Promise<void> {
    const { arrivedAt } = this.#arena.receiver
    await eventually(`the messages at ${this.name}`, () => ids.every(id => arrivedAt.has(id)), 60_000)
  }
}
