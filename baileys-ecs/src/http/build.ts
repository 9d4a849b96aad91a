import Fastify, { type FastifyInstance, type FastifyPluginCallback, type FastifyPluginOptions, type FastifyReply } from 'fastify'
import type { ErrorAnswer, GatewayHealth, LinkCode, LinkCodeRequest, PairingCode, SendCommand, SendingStatus, SendResult, SessionStatus } from '@kesher/contracts'
import type { Logger } from '../observability/logger.js'
import type { Secrets } from '../webhook/secrets.js'
import type { Shown } from '../session/pairing.js'
import { OPERATIONS } from './operations.js'
import { CONTRACT } from './schemas.js'

/** A session as the routes need it. */
export interface HttpSession {
  readonly activeSends: number
  readonly shown: Shown | undefined
  askForCode: (phone: string) => Promise<boolean>
  status: () => SessionStatus
  send: (command: SendCommand) => Promise<SendResult>
}

/** What this process does not hold: no such tenant, or one whose session is elsewhere or stopped. */
export interface ElsewhereSession {
  readonly ownerUrl?: string | null
  readonly state?: SessionStatus['state'] | null
  readonly updatedAt?: number | null
}

/** `busy`: messages are on their way, or the session is being changed; `stopped`: it is not wanted to run. */
export type RestartAnswer = 'restarting' | 'busy' | 'stopped'

export interface HttpOptions {
  /** Asks for a new socket; `undefined` if the session is not held here. */
  readonly restart: (tenantId: string) => RestartAnswer | undefined
  readonly session: (tenantId: string) => HttpSession | undefined
  readonly elsewhere: (tenantId: string) => Promise<ElsewhereSession | undefined>
  readonly health: () => GatewayHealth
  readonly secrets: Secrets
  /** Time for a whole request to arrive. */
  readonly requestMs?: number
  readonly logger: Logger
}

/** A text has at most 65,536 characters, four bytes each as UTF-8 and six as JSON escapes. */
const BODY_LIMIT = 512 * 1024

/** The send function is in the same network; a request of 512 KB takes it milliseconds. */
const REQUEST_MS = 10_000
/** An idle connection is of no use: the send function opens a new one for each message. */
const KEEP_ALIVE_MS = 5_000
/** Far more than send functions run at once; each may hold one body. */
const MOST_CONNECTIONS = 256

const STATUS: Readonly<Record<SendResult['outcome'], number>> = {
  sent: 200, unknown: 504, refused: 422, unavailable: 503, not_owner: 409, superseded: 410,
}

interface Tenant { Params: { tenant: string } }

/** A plugin of Fastify that sees every route, for example to describe them. */
export interface RouteWatcher<Options extends FastifyPluginOptions> {
  readonly plugin: FastifyPluginCallback<Options>
  readonly options: Options
}

/** The gateway's HTTP API, not yet listening. Everything but `/health` needs the internal secret. */
export function buildHttp<Options extends FastifyPluginOptions>(options: HttpOptions, watcher?: RouteWatcher<Options>): FastifyInstance {
  const { session, elsewhere, restart, health, secrets, logger, requestMs = REQUEST_MS } = options
  const app = Fastify({
    loggerInstance: logger.child({ module: 'http' }, { level: 'warn' }), // the send function polls: a line a request says nothing
    bodyLimit: BODY_LIMIT,
    requestTimeout: requestMs, // from the first byte to the last one: who dribbles is cut off
    http: { headersTimeout: requestMs, connectionsCheckingInterval: Math.ceil(requestMs / 2), maxHeaderSize: 8 * 1024 },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // discriminator: the contract's unions; nothing is removed or bent: what does not fit is refused.
    ajv: { customOptions: { discriminator: true, removeAdditional: false, coerceTypes: false } },
  }) as unknown as FastifyInstance
  app.server.maxConnections = MOST_CONNECTIONS // the next ones are closed at once
  app.addSchema(CONTRACT)

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string; validation?: unknown }, _request, reply) => {
    const { statusCode = 500, code } = error
    if (error.validation !== undefined) return problem(reply, 400, 'bad_body', error.message)
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return problem(reply, 413, 'too_large', `The body has more than ${BODY_LIMIT} bytes.`)
    if (statusCode < 500) return problem(reply, statusCode, 'bad_request', error.message)
    logger.error({ err: error }, 'a request failed')
    return problem(reply, 500, 'internal', 'The gateway failed; its log says why.')
  })
  app.setNotFoundHandler((_request, reply) => problem(reply, 404, 'not_found', 'There is no such address.'))

  if (watcher !== undefined) void app.register(watcher.plugin, watcher.options)
  void app.register((routes, _options, done) => {
    routes.get('/health', { schema: OPERATIONS.health }, () => health())
    done()
  })

  void app.register((routes, _options, done) => {
    routes.addHook('onRequest', async (request, reply) => {
      const presented = request.headers['x-internal-secret']
      if (typeof presented === 'string' && await secrets.verify(presented)) return
      await problem(reply, 401, 'bad_secret', 'The header X-Internal-Secret is missing or wrong.')
    })

    routes.get<Tenant>('/status', { schema: OPERATIONS.status }, async ({ params }, reply) => {
      const held = session(params.tenant)
      if (held !== undefined) return held.status()
      const other = await elsewhere(params.tenant)
      if (other === undefined) return unknownTenant(reply, params.tenant)
      const status: SessionStatus = {
        tenantId: params.tenant, state: other.state ?? 'disconnected', connected: false, canSend: false, since: other.updatedAt ?? 0,
        reason: 'This container does not hold the session.',
      }
      return status
    })

    routes.get<Tenant>('/sending-status', { schema: OPERATIONS.sendingStatus }, async ({ params }, reply) => {
      const held = session(params.tenant)
      if (held === undefined && await elsewhere(params.tenant) === undefined) return unknownTenant(reply, params.tenant)
      const activeSends = held?.activeSends ?? 0
      const status: SendingStatus = { isSending: activeSends > 0, activeSends }
      return status
    })

    routes.get<Tenant>('/qr', { schema: OPERATIONS.qr }, async ({ params }, reply) => {
      const held = session(params.tenant)
      const shown = held?.shown
      if (shown?.method === 'qr') {
        const code: PairingCode = { qr: shown.qr, expiresAt: shown.expiresAt }
        return code
      }
      if (held === undefined && await elsewhere(params.tenant) === undefined) return unknownTenant(reply, params.tenant)
      const status = held?.status()
      return problem(reply, 404, 'no_qr', status === undefined
        ? 'This container does not hold the session.'
        : `There is no QR code to scan now: the session is ${status.state}. ${status.reason ?? ''}`.trim())
    })

    routes.get<Tenant>('/pairing-code', { schema: OPERATIONS.pairingCode }, async ({ params }, reply) => {
      const held = session(params.tenant)
      if (held?.shown?.method === 'code') return linkCode(held.shown)
      if (held === undefined && await elsewhere(params.tenant) === undefined) return unknownTenant(reply, params.tenant)
      return problem(reply, 404, 'no_code', held === undefined
        ? 'This container does not hold the session.'
        : `There is no pairing code to type now: the session is ${held.status().state}. ${held.status().reason ?? ''}`.trim())
    })

    routes.post<Tenant & { Body: LinkCodeRequest }>('/pairing-code', { schema: OPERATIONS.askForPairingCode }, async ({ params, body }, reply) => {
      const held = session(params.tenant)
      if (held === undefined) {
        if (await elsewhere(params.tenant) === undefined) return unknownTenant(reply, params.tenant)
        return problem(reply, 409, 'not_owner', 'This container does not hold the session; look its owner up again.')
      }
      if (await held.askForCode(body.phone)) return reply.code(202).send(held.status())
      return problem(reply, 409, 'not_pairing', `Nothing can be linked now: the session is ${held.status().state}. Ask while a QR code is shown.`)
    })

    routes.post<Tenant & { Body: SendCommand }>('/messages', { schema: OPERATIONS.send }, async ({ params, body }, reply) => {
      const result = await send(params.tenant, body)
      return result === undefined ? unknownTenant(reply, params.tenant) : reply.code(STATUS[result.outcome]).send(result)
    })
    routes.post<Tenant>('/restart', { schema: OPERATIONS.restart }, async ({ params }, reply) => {
      switch (restart(params.tenant)) {
        case 'restarting': {
          const status: SendingStatus = { isSending: false, activeSends: 0 }
          return reply.code(202).send(status)
        }
        case 'busy': return problem(reply, 409, 'busy', 'service busy: messages are being sent; try again when sending-status says that none is.')
        case 'stopped': return problem(reply, 409, 'stopped', 'The session is stopped; ask for a link instead.')
        case undefined:
          if (await elsewhere(params.tenant) === undefined) return unknownTenant(reply, params.tenant)
          return problem(reply, 409, 'not_owner', 'This container does not hold the session; look its owner up again.')
      }
    })
    done()
  }, { prefix: '/whatsapp/:tenant' })

  async function send(tenant: string, command: SendCommand): Promise<SendResult | undefined> {
    const held = session(tenant)
    if (held !== undefined) return held.send(command)
    return await elsewhere(tenant) === undefined ? undefined : {
      outcome: 'not_owner', messageId: command.messageId, reason: 'This container does not hold the session; look its owner up again. Nothing was sent.',
    }
  }
  return app
}

function linkCode({ code, phone, expiresAt }: Extract<Shown, { method: 'code' }>): LinkCode {
  return { code, phone, expiresAt }
}

function problem(reply: FastifyReply, status: number, error: string, reason: string): FastifyReply {
  const answer: ErrorAnswer = { error, reason }
  return reply.code(status).send(answer)
}

const unknownTenant = (reply: FastifyReply, tenant: string): FastifyReply =>
  problem(reply, 404, 'unknown_tenant', `There is no session row for ${tenant}.`)
