/**
 * Bare Baileys, as a tutorial would have it, behind the gateway's own HTTP API: it opens a socket for each tenant that is
 * asked for, forwards each message to the webhook, and calls a send done when the server has acknowledged it. It keeps
 * no journal, signs nothing and repeats nothing.
 *
 * With `GATEWAY_TABLE` its auth state lies in the gateway's own store, otherwise in memory.
 */
import '../../src/observability/silence.js'
import {
  initAuthCreds, makeWASocket, type AuthenticationCreds, type SignalDataSet, type SignalDataTypeMap, type SignalKeyStore, type WASocket,
} from '@whiskeysockets/baileys'
import type { SendCommand, SendResult, SessionStatus } from '@kesher/contracts'
import Fastify from 'fastify'
import { deferred } from '../../src/concurrency/deferred.js'
import { baileysLogger, createLogger } from '../../src/observability/logger.js'
import { statusCodeOf } from '../../src/observability/redact.js'
import { AuthState } from '../../src/store/auth-state.js'
import { createDynamo, documentClient, type Table } from '../../src/store/dynamo.js'
import { FencedWriter } from '../../src/store/writer.js'

const { WA_WEBSOCKET_URL = '', WEBHOOK_URL = '', GATEWAY_TABLE = '', AWS_ENDPOINT_URL = '' } = process.env
const RESTART_ASKED = 515
const logger = createLogger('silent')

interface Auth {
  readonly creds: AuthenticationCreds
  readonly keys: SignalKeyStore
  readonly save: () => Promise<void>
}

function inMemory(): Auth {
  const kept = new Map<string, unknown>()
  const keys: SignalKeyStore = {
    get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) =>
      Object.fromEntries(ids.flatMap(id => kept.has(`${type} ${id}`) ? [[id, kept.get(`${type} ${id}`) as SignalDataTypeMap[T]]] : [])),
    set: (data: SignalDataSet) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries)) {
          if (value === null) kept.delete(`${type} ${id}`)
          else kept.set(`${type} ${id}`, value)
        }
      }
    },
  }
  return { creds: initAuthCreds(), keys, save: () => Promise.resolve() }
}

async function inTable(name: string, tenant: string): Promise<Auth> {
  const table: Table = { db: documentClient(createDynamo('us-east-1', AWS_ENDPOINT_URL)), name, retryMs: 10_000, random: Math.random }
  const state = new AuthState(table, new FencedWriter(table, tenant, 0))
  const creds = await state.loadCreds()
  return { creds, keys: state.openKeys({ failed: fail, journalled: () => undefined }), save: () => state.saveCreds(creds) }
}

/** One number; it logs in again only when pairing asks for it. */
class LinkedNumber {
  socket: WASocket | undefined
  qr: string | undefined
  isOpen = false
  readonly #acks = new Map<string, () => void>()

  constructor(readonly tenant: string, readonly auth: Auth) {
    this.#open()
  }

  async send({ chatJid, messageId, content }: SendCommand): Promise<SendResult> {
    const { promise, resolve } = deferred<undefined>()
    this.#acks.set(messageId, () => { resolve(undefined) })
    await this.socket?.sendMessage(chatJid, { text: content.kind === 'text' ? content.text : '', linkPreview: null }, { messageId })
    await promise
    return { outcome: 'sent', messageId, acknowledgedAt: Date.now() }
  }

  #open(): void {
    const { creds, keys, save } = this.auth
    const socket = makeWASocket({
      auth: { creds, keys }, logger: baileysLogger(logger), waWebSocketUrl: WA_WEBSOCKET_URL, markOnlineOnConnect: false, syncFullHistory: false,
    })
    this.socket = socket
    socket.ev.on('creds.update', () => { save().catch(fail) })
    socket.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
      this.qr = qr ?? this.qr
      this.isOpen = connection === undefined ? this.isOpen : connection === 'open'
      if (connection !== 'close') return
      if (statusCodeOf(lastDisconnect?.error) !== RESTART_ASKED) fail(lastDisconnect?.error)
      this.#open()
    })
    socket.ev.on('messages.upsert', ({ messages }) => {
      for (const { key, message } of messages) if (message && !key.fromMe) forward(this.tenant, key.id ?? '', message.conversation ?? '').catch(fail)
    })
    socket.ws.on('CB:ack,class:message', ({ attrs }: { attrs: { readonly id: string } }) => { this.#acks.get(attrs.id)?.() })
  }
}

async function forward(tenantId: string, messageId: string, text: string): Promise<void> {
  const answer = await fetch(WEBHOOK_URL, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ tenantId, messageId, text }),
  })
  await answer.text()
}

/** What fails here would spoil the measurement unseen. */
function fail(error: unknown): never {
  process.stderr.write(`bare Baileys failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  process.exit(1)
}

const numbers = new Map<string, Promise<LinkedNumber>>()
const numberOf = (tenant: string): Promise<LinkedNumber> => {
  const number = numbers.get(tenant) ?? (async () =>
    new LinkedNumber(tenant, GATEWAY_TABLE === '' ? inMemory() : await inTable(GATEWAY_TABLE, tenant)))()
  numbers.set(tenant, number)
  return number
}

interface Tenant { Params: { tenant: string } }
const http = Fastify()
http.get<Tenant>('/whatsapp/:tenant/qr', async ({ params }, reply) => {
  const { qr } = await numberOf(params.tenant)
  return qr === undefined ? reply.code(404).send({}) : { qr }
})
http.get<Tenant>('/whatsapp/:tenant/status', async ({ params }): Promise<SessionStatus> => {
  const { isOpen } = await numberOf(params.tenant)
  return { tenantId: params.tenant, state: isOpen ? 'connected' : 'connecting', connected: isOpen, canSend: isOpen, since: Date.now() }
})
http.post<Tenant & { Body: SendCommand }>('/whatsapp/:tenant/messages', async ({ params, body }) => (await numberOf(params.tenant)).send(body))
const url = await http.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${JSON.stringify({ msg: 'gateway ready', url })}\n`)
