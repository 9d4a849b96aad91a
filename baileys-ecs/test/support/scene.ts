import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { PairingCode, SendCommand, SendResult, SessionStatus } from '@kesher/contracts'
import { Simulator, silenceConsole, type Business, type Customer } from '@kesher/simulator'
import { startGateway, type Gateway } from '../../src/gateway.js'
import { createLogger } from '../../src/observability/logger.js'
import { readSettings } from '../../src/settings.js'
import { AWS_ENVIRONMENT, type Emulator } from './emulator.js'
import { eventually } from './eventually.js'
import { spawnGateway, type GatewayProcess, type Program } from './gateway-process.js'
import { startSlowAws, type SlowAws } from './slow-aws.js'
import { createTable, type TestTable } from './table.js'
import { startWebhook, type WebhookStub } from './webhook.js'

silenceConsole()

export const SECRET = 'test-internal-secret'
export const TENANT = 'business_1'

/** Everything around one number: WhatsApp, AWS, the webhook, and gateways to be started. */
export interface Scene {
  readonly simulator: Simulator
  readonly business: Business
  readonly customer: Customer
  readonly aws: SlowAws
  readonly table: TestTable
  readonly webhook: WebhookStub
  readonly environment: Readonly<Record<string, string>>
  /** A gateway in this process. */
  start: (settings?: Readonly<Record<string, string>>) => Promise<Api>
  /** A gateway in a process of its own. */
  spawn: (settings?: Readonly<Record<string, string>>, program?: Program) => Promise<Api & { readonly process: GatewayProcess }>
  /** Pairs by QR and waits until the session can send. */
  pair: (api: Api, tenant?: string, business?: Business) => Promise<void>
  command: (text: string, options?: Partial<SendCommand>) => Promise<SendCommand>
}

/** The gateway's HTTP API. */
export class Api {
  constructor(readonly url: string, readonly lines: string[], readonly stop: () => Promise<void>) {}

  async get(path: string, secret = SECRET): Promise<Response> {
    return fetch(`${this.url}${path}`, { headers: { 'x-internal-secret': secret } })
  }

  async status(tenant = TENANT): Promise<SessionStatus> {
    return await (await this.get(`/whatsapp/${tenant}/status`)).json() as SessionStatus
  }

  async qr(tenant = TENANT): Promise<PairingCode> {
    return eventually('a QR code', async () => {
      const answer = await this.get(`/whatsapp/${tenant}/qr`)
      return answer.status === 200 ? await answer.json() as PairingCode : undefined
    })
  }

  async canSend(tenant = TENANT): Promise<SessionStatus> {
    return eventually('a session that can send', async () => {
      const status = await this.status(tenant)
      return status.canSend && status
    })
  }

  async restart(tenant = TENANT): Promise<number> {
    return (await fetch(`${this.url}/whatsapp/${tenant}/restart`, { method: 'POST', headers: { 'x-internal-secret': SECRET } })).status
  }

  async send(command: SendCommand, tenant = TENANT): Promise<{ readonly status: number; readonly result: SendResult }> {
    const answer = await fetch(`${this.url}/whatsapp/${tenant}/messages`, {
      method: 'POST', headers: { 'x-internal-secret': SECRET, 'content-type': 'application/json' }, body: JSON.stringify(command),
    })
    return { status: answer.status, result: await answer.json() as SendResult }
  }
}

let phones = 0
let ids = 0

/** @param settings for all gateways of this scene */
export async function createScene(
  t: Pick<TestContext, 'after'>, emulator: Emulator, settings: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  const simulator = await Simulator.start({ logLimit: 50_000 })
  simulator.trustHere()
  const number = String(++phones).padStart(3, '0')
  const business = simulator.addBusiness({ phone: `972500000${number}`, name: 'Studio' })
  const customer = simulator.addCustomer({ phone: `972521111${number}`, name: 'Dana' })
  const aws = await startSlowAws(emulator.url)
  const table = await createTable(emulator.url)
  await table.desire(TENANT, { desired: 'linked' })
  const webhook = await startWebhook(SECRET)
  const environment = {
    ...AWS_ENVIRONMENT, AWS_ENDPOINT_URL: aws.url, GATEWAY_TABLE: table.name, WEBHOOK_URL: webhook.url, INTERNAL_SECRET: SECRET,
    WA_WEBSOCKET_URL: simulator.waUrl, PORT: '0', SESSION_POLL_MS: '250', HEARTBEAT_MS: '300', LEASE_MS: '3000', REBALANCE_MS: '100', COMPOSING_MS: '0', MESSAGES_A_MINUTE: '100000', NEW_CHATS_A_DAY: '10000', LOG_LEVEL: 'trace', RECONNECT_BASE_MS: '50',
    ...settings,
  }
  const running = new Set<() => Promise<unknown>>()
  t.after(async () => {
    aws.refuse = () => false
    aws.latencyMs = [0, 0]
    await Promise.all([...running].map(stop => stop()))
    await simulator.stop()
    await webhook.stop()
    await aws.stop()
    assert.deepEqual(simulator.problems.after(), [])
    assert.deepEqual(simulator.unhandled.after(), [])
    assert.equal(webhook.badSignatures, 0)
  })

  const scene: Scene = {
    simulator, business, customer, aws, table, webhook, environment,
    start: async settings => {
      const lines: string[] = []
      const gateway: Gateway = await startGateway(
        readSettings({ ...environment, SHUTDOWN_MS: '3000', ...settings }), createLogger('trace', { write: line => { lines.push(line) } }),
      )
      let stopping: Promise<void> | undefined
      const stop = async (): Promise<void> => stopping ??= gateway.stop()
      running.add(stop)
      return new Api(gateway.url, lines, stop)
    },
    spawn: async (settings, program) => {
      const child = await spawnGateway({ ...environment, ...settings }, simulator, program)
      running.add(() => child.kill('SIGKILL'))
      const api = new Api(child.url, child.lines, async () => { await child.kill('SIGTERM') })
      return Object.assign(api, { process: child })
    },
    pair: async (api, tenant = TENANT, phone = business) => {
      phone.scan((await api.qr(tenant)).qr)
      await api.canSend(tenant)
      // Until the history sync has come Baileys takes each login for the first one, and holds events back for 20 s.
      await eventually('the history sync', async () => syncCounter(await table.rows(`AUTH#${tenant}`)) > 0)
    },
    command: async (text, options = {}) => ({
      version: 1, messageId: `3EB0${String(++ids).padStart(16, '0')}`, chatJid: customer.lidJid, author: 'assistant',
      content: { kind: 'text', text }, correlationId: 'correlation-1', ownerToken: Number((await table.record(TENANT))?.['ownerToken'] ?? 0),
      ...options,
    }),
  }
  return scene
}

function syncCounter(auth: readonly Record<string, unknown>[]): number {
  const creds = auth.find(({ sk }) => sk === 'CREDS')?.['value']
  return typeof creds === 'string' ? (JSON.parse(creds) as { accountSyncCounter: number }).accountSyncCounter : 0
}
