import PQueue from 'p-queue'
import { sleep } from '../concurrency/sleep.js'
import type { Census } from '../session/census.js'
import type { JournalSurvey } from '../store/journal-survey.js'
import type { Counter, Counters } from './counters.js'
import { embedded, SERVICE, type MetricName, type Values } from './emf.js'
import type { EventLoop } from './event-loop.js'
import type { Logger } from './logger.js'

export interface MetricsOptions {
  /** Empty: the figures are logged in plain words, for nobody turns them into metrics. */
  readonly namespace: string
  readonly periodMs: number
  readonly census: () => Census
  /** Tenants whose journal this container forwards. */
  readonly tenants: () => readonly string[]
  readonly survey: (tenantId: string) => Promise<JournalSurvey>
  readonly counters: Counters
  readonly eventLoop: Pick<EventLoop, 'takeLag' | 'stop'>
  readonly memory: () => { readonly rss: number; readonly heapUsed: number }
  readonly now: () => number
  readonly logger: Logger
}

const COUNTED: Readonly<Partial<Record<MetricName, Counter>>> = {
  Reconnects: 'reconnects', MessagesReceived: 'messagesJournalled', SendsAcknowledged: 'sendsAcknowledged', SendsRefused: 'sendsRefused',
  SendsUnknown: 'sendsUnknown', DeliveriesFailed: 'deliveriesFailed',
}
const MEGABYTE = 1024 * 1024
/** Journals looked at together. */
const SURVEYS_AT_ONCE = 8
/** Tenants named in one line; the figures count all of them. */
const NAMED = 20

/** Writes the gateway's metrics, one line a period. */
export class Metrics {
  readonly #options: MetricsOptions
  readonly #stop = new AbortController()
  readonly #before = new Map<Counter, number>()
  readonly #line: Logger
  #loop: Promise<void> = Promise.resolve()

  constructor(options: MetricsOptions) {
    this.#options = options
    this.#line = options.logger.child({}, { level: 'info' }) // metrics are written whatever the level of the log is
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Writes what was counted since the last line. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    this.#write(this.#counted(), {})
    this.#options.eventLoop.stop()
  }

  async #run(): Promise<void> {
    const { periodMs, logger } = this.#options
    await sleep(periodMs, this.#stop.signal)
    while (!this.#stop.signal.aborted) {
      try {
        await this.#report()
      } catch (error) {
        logger.error({ err: error }, 'the metrics could not be read')
      }
      await sleep(periodMs, this.#stop.signal)
    }
  }

  async #report(): Promise<void> {
    const { census, counters, eventLoop, memory } = this.#options
    const { connected, down, silent } = census()
    const { rss, heapUsed } = memory()
    const lag = eventLoop.takeLag()
    const journal = await this.#journals()
    this.#write({
      SessionsConnected: connected, SessionsDown: down.length, SessionsSilent: silent.length,
      ...this.#counted(), AckLatency: counters.takeLatencies(), ...journal.values,
      EventLoopLag: lag, MemoryRss: Math.round(rss / MEGABYTE), MemoryHeap: Math.round(heapUsed / MEGABYTE),
    }, named({ down, silent, parked: journal.parked }))
  }

  async #journals(): Promise<{ readonly values: Values; readonly parked: readonly string[] }> {
    const { tenants, survey, now, logger } = this.#options
    const queue = new PQueue({ concurrency: SURVEYS_AT_ONCE })
    let unread = 0
    const surveys = await Promise.all(tenants().map(tenantId => queue.add(async () => {
      try {
        return { tenantId, ...await survey(tenantId) }
      } catch (error) {
        if (unread++ === 0) logger.error({ tenant: tenantId, err: error }, 'a journal could not be looked at for the metrics')
        return undefined
      }
    })))
    const found = surveys.filter(one => one !== undefined)
    if (found.length === 0 && unread > 0) return { values: {}, parked: [] } // no figure is better than a reassuring zero
    const oldest = Math.min(now(), ...found.map(({ oldestAt }) => oldestAt ?? Infinity))
    return {
      values: {
        JournalDepth: sum(found.map(({ depth }) => depth)), RowsParked: sum(found.map(({ parked }) => parked)),
        JournalAge: Math.round((now() - oldest) / 1000),
      },
      parked: found.filter(({ parked }) => parked > 0).map(({ tenantId }) => tenantId),
    }
  }

  #counted(): Values {
    const { counters } = this.#options
    return Object.fromEntries(Object.entries(COUNTED).map(([name, counter]) => {
      const count = counters.get(counter)
      const since = count - (this.#before.get(counter) ?? 0)
      this.#before.set(counter, count)
      return [name, since]
    }))
  }

  #write(values: Values, metadata: Readonly<Record<string, unknown>>): void {
    const { namespace, now } = this.#options
    this.#line.info(namespace === '' ? { ...metadata, service: SERVICE, ...values } : embedded(namespace, values, now(), metadata), 'metrics')
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

const named = (tenants: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(tenants).filter(([, list]) => list.length > 0).map(([name, list]) => [name, list.slice(0, NAMED)]))
