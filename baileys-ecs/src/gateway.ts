import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { within } from './concurrency/sleep.js'
import { Spacing } from './concurrency/spacing.js'
import { buildHttp } from './http/build.js'
import { Counters } from './observability/counters.js'
import { EventLoop } from './observability/event-loop.js'
import { MediaShelf } from './media/shelf.js'
import type { Logger } from './observability/logger.js'
import { Metrics } from './observability/metrics.js'
import { findOwnerUrl } from './owner-url.js'
import { SessionRegistry } from './session/registry.js'
import type { Settings } from './settings.js'
import { createDynamo, documentClient, type Table } from './store/dynamo.js'
import { ContainerRecords } from './store/containers.js'
import { LiveSettings } from './store/live-settings.js'
import { surveyJournal } from './store/journal-survey.js'
import { MediaBucket } from './store/media.js'
import { SessionRecords } from './store/session-records.js'
import { webhookClient } from './webhook/client.js'
import { Secrets } from './webhook/secrets.js'
import { iamSigner, unsigned } from './webhook/sigv4.js'

export interface Gateway {
  readonly url: string
  readonly counters: Counters
  /** Drains and ends everything; safe to call once. */
  stop: () => Promise<void>
}

/** Share of the shutdown's time for sends under way; the rest is for sockets, pending writes and the forwarder. */
const DRAIN_SHARE = 0.6
/** 16 MB at 6 Mbit/s. */
const MEDIA_ATTEMPT_MS = 25_000

/** Puts the parts together, listens, and begins to look after the sessions. */
export async function startGateway(settings: Settings, logger: Logger): Promise<Gateway> {
  const now = Date.now
  const random = Math.random
  const dynamo = createDynamo(settings.awsRegion, settings.awsEndpointUrl)
  const table: Table = { db: documentClient(dynamo), name: settings.gatewayTable, retryMs: settings.storeRetryMs, random }
  const secrets = Secrets.from(settings.secret, new SecretsManagerClient({
    region: settings.awsRegion, ...(settings.awsEndpointUrl === undefined ? {} : { endpoint: settings.awsEndpointUrl }),
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  }), now)
  await secrets.current() // a gateway that can neither sign nor verify must not start
  const counters = new Counters()
  const deliver = webhookClient({
    url: settings.webhookUrl, secrets, timeoutMs: settings.webhookTimeoutMs, now,
    signer: settings.webhookAuth === 'iam' ? iamSigner(settings.awsRegion, dynamo.config.credentials) : unsigned,
  })
  const records = new SessionRecords(table, settings.sessionIndex)

  const parts: { registry?: SessionRegistry } = {}
  const http = buildHttp({
    secrets, logger,
    session: tenant => parts.registry?.get(tenant),
    elsewhere: async tenant => records.get(tenant),
    restart: tenant => parts.registry?.restart(tenant),
    health: () => {
      const sessions = parts.registry?.all() ?? []
      return {
        status: parts.registry?.isDraining === true ? 'draining' : 'ok',
        sessions: sessions.length, connected: sessions.filter(session => session.isConnected).length,
      }
    },
  })
  const url = await listen(http, settings)
  const monotonic = (): number => performance.now()
  const bucket = settings.mediaBucket === undefined ? undefined
    : new MediaBucket({ bucket: settings.mediaBucket, region: settings.awsRegion, endpoint: settings.awsEndpointUrl })
  const shelf = new MediaShelf({
    bucket, maxBytes: settings.mediaMaxBytes, deadlineMs: settings.mediaDeadlineMs, attemptMs: MEDIA_ATTEMPT_MS, random, logger, counters,
  })
  const registry = new SessionRegistry({
    shelf, table, records, deliver, bucket, settings, random, now, logger, counters, monotonic,
    containers: new ContainerRecords(table), live: new LiveSettings(table),
    starts: new Spacing(settings.startSpacingMs, monotonic),
    self: { id: randomUUID(), url: await findOwnerUrl(settings.ownerUrl, settings.ecsMetadataUrl, new URL(url)) },
    addressIsOurs: settings.ownerUrl === undefined,
  })
  parts.registry = registry
  await registry.start()
  const metrics = new Metrics({
    namespace: settings.metricsNamespace, periodMs: settings.metricsPeriodMs, counters, now, logger, eventLoop: new EventLoop(),
    census: () => registry.census(), tenants: () => registry.all().map(({ tenantId }) => tenantId),
    survey: tenantId => surveyJournal(table, tenantId), memory: () => process.memoryUsage(),
  })
  metrics.start()
  logger.info({ url }, 'gateway ready')

  return {
    url,
    counters,
    stop: async () => {
      logger.info('gateway stopping')
      // Still listening: health says "draining", new sends are told to come again, those under way get their answer.
      await registry.stop(settings.shutdownMs * DRAIN_SHARE)
      await metrics.stop()
      await within(http.close(), 1_000, undefined)
      dynamo.destroy()
      bucket?.close()
      logger.info({ counters: counters.all() }, 'gateway stopped')
    },
  }
}

async function listen(http: FastifyInstance, { host, port }: Settings): Promise<string> {
  await http.listen({ host, port })
  const address = http.server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${actual}`
}
