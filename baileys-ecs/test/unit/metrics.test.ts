import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Counters } from '../../src/observability/counters.js'
import { embedded, METRICS } from '../../src/observability/emf.js'
import { EventLoop } from '../../src/observability/event-loop.js'
import { createLogger } from '../../src/observability/logger.js'
import { Metrics, type MetricsOptions } from '../../src/observability/metrics.js'
import { census, type Vitals } from '../../src/session/census.js'
import type { StoredSession } from '../../src/store/session-records.js'
import { eventually } from '../support/eventually.js'

interface Line {
  readonly [name: string]: unknown
  readonly _aws?: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly [{ readonly Namespace: string; readonly Dimensions: unknown; readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[] }] }
}

function reporting(options: Partial<MetricsOptions> = {}): { readonly metrics: Metrics; readonly counters: Counters; readonly lines: Line[] } {
  const lines: Line[] = []
  const counters = new Counters()
  const metrics = new Metrics({
    namespace: 'Kesher', periodMs: 10, counters, now: () => 100_000, logger: createLogger('error', { write: line => { lines.push(JSON.parse(line) as Line) } }),
    eventLoop: { takeLag: () => 7, stop: () => undefined }, memory: () => ({ rss: 200 * 1024 * 1024, heapUsed: 90 * 1024 * 1024 }),
    census: () => ({ connected: 2, down: ['shop'], silent: [] }), tenants: () => ['shop', 'garage'],
    survey: tenant => Promise.resolve(tenant === 'shop' ? { depth: 3, oldestAt: 40_000, parked: 1 } : { depth: 0, oldestAt: undefined, parked: 0 }),
    ...options,
  })
  return { metrics, counters, lines }
}

async function firstLine(options: Partial<MetricsOptions> = {}, count: (counters: Counters) => void = () => undefined): Promise<Line> {
  const { metrics, counters, lines } = reporting(options)
  count(counters)
  metrics.start()
  const line = await eventually('a line', () => lines[0])
  await metrics.stop()
  return line
}

describe('a line of metrics', () => {
  it('is what CloudWatch takes: one namespace, one dimension, every figure named with its unit', async () => {
    const line = await firstLine({}, counters => {
      counters.add('sendsAcknowledged', 2)
      counters.acknowledgedAfter(31)
      counters.acknowledgedAfter(40)
    })
    const [directive] = line._aws?.CloudWatchMetrics ?? []
    assert.equal(line._aws?.Timestamp, 100_000)
    assert.equal(directive?.Namespace, 'Kesher')
    assert.deepEqual(directive.Dimensions, [['service']])
    assert.equal(line['service'], 'gateway')
    assert.deepEqual(Object.fromEntries(directive.Metrics.map(({ Name, Unit }) => [Name, Unit])), METRICS)
    assert.deepEqual(Object.fromEntries(directive.Metrics.map(({ Name }) => [Name, line[Name]])), {
      SessionsConnected: 2, SessionsDown: 1, SessionsSilent: 0, Reconnects: 0, MessagesReceived: 0, SendsAcknowledged: 2, SendsRefused: 0,
      SendsUnknown: 0, AckLatency: [31, 40], JournalDepth: 3, JournalAge: 60, RowsParked: 1, DeliveriesFailed: 0, EventLoopLag: 7,
      MemoryRss: 200, MemoryHeap: 90,
    })
  })
  it('names the tenants that need a look, beside the figures', async () => {
    const line = await firstLine()
    assert.deepEqual([line['down'], line['parked'], line['silent']], [['shop'], ['shop'], undefined])
  })
  it('counts what happened since the last one, and is written whatever the level of the log', async () => {
    const { metrics, counters, lines } = reporting()
    counters.add('sendsUnknown', 5)
    metrics.start()
    await eventually('two lines', () => lines.length >= 2)
    counters.add('sendsUnknown')
    await metrics.stop()
    assert.deepEqual(lines.map(line => line['SendsUnknown']).filter(count => count !== 0), [5, 1])
  })
  it('leaves the journal out when it cannot be read: a zero would say that all is well', async () => {
    const { metrics, lines } = reporting({ survey: () => Promise.reject(new Error('no table')) })
    metrics.start()
    const written = await eventually('the line', () => lines.find(each => each._aws !== undefined))
    await metrics.stop()
    assert.ok(!('JournalAge' in written) && !('RowsParked' in written))
    assert.ok('SessionsDown' in written)
    assert.ok(lines.some(({ msg }) => msg === 'a journal could not be looked at for the metrics'))
  })
  it('without a namespace is a plain log line: locally nobody is billed for it', async () => {
    const line = await firstLine({ namespace: '' })
    assert.equal(line._aws, undefined)
    assert.equal(line['SessionsConnected'], 2)
  })
  it('names no metric without a value', () => {
    const { _aws } = embedded('Kesher', { AckLatency: [], SendsUnknown: 1 }, 1) as Line
    assert.deepEqual(_aws?.CloudWatchMetrics[0].Metrics, [{ Name: 'SendsUnknown', Unit: 'Count' }])
  })
})

describe('latencies', () => {
  it('are at most a hundred a line, a fair sample of all', () => {
    let seed = 1
    const counters = new Counters(() => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647)
    for (let ms = 0; ms < 10_000; ms++) counters.acknowledgedAfter(ms)
    const taken = counters.takeLatencies()
    assert.equal(taken.length, 100)
    const mean = taken.reduce((sum, ms) => sum + ms, 0) / 100
    assert.ok(mean > 3_500 && mean < 6_500, String(mean))
    assert.deepEqual(counters.takeLatencies(), [])
  })
})

describe('the event loop', () => {
  it('is late when something computes', async () => {
    const loop = new EventLoop()
    await new Promise(done => setTimeout(done, 60))
    const until = performance.now() + 300
    while (performance.now() < until) { /* computing */ }
    await new Promise(done => setTimeout(done, 30))
    assert.ok(loop.takeLag() > 150)
    loop.stop()
  })
})

describe('the census', () => {
  const vitals = (tenantId: string, change: Partial<Vitals> = {}): Vitals =>
    ({ tenantId, state: 'connected', canSend: true, paired: true, resting: false, answerAgeMs: 100, unacknowledged: 0, ...change })
  const row = (tenantId: string, change: Partial<StoredSession> = {}): StoredSession =>
    ({ tenantId, desired: 'linked', ownerToken: 1, desiredGeneration: 0, ...change })
  const take = (rows: readonly StoredSession[], held: readonly Vitals[]) => census(rows, held, ({ ownerId }) => ownerId === undefined, 25_000)

  it('calls down what should be connected and is not', () => {
    assert.deepEqual(take([row('a')], [vitals('a')]), { connected: 1, down: [], silent: [] })
    assert.deepEqual(take([row('a')], [vitals('a', { canSend: false, state: 'connecting', answerAgeMs: undefined })]).down, ['a'])
    assert.deepEqual(take([row('a')], [vitals('a', { canSend: false, state: 'logged_out', paired: false, resting: true })]).down, ['a'])
    assert.deepEqual(take([row('a')], []).down, ['a'], 'nobody holds it')
    assert.deepEqual(take([row('a', { ownerId: 'other' })], []).down, [], 'another container counts it')
  })
  it('does not call down what nobody wants, or what waits for its first scan', () => {
    const away = { canSend: false, state: 'disconnected', answerAgeMs: undefined } as const
    assert.deepEqual(take([row('a', { desired: 'stopped' })], [vitals('a', away)]).down, [])
    assert.deepEqual(take([row('a', { desired: 'unlinked', state: 'logged_out' })], [vitals('a', { ...away, state: 'logged_out', resting: true })]).down, [])
    assert.deepEqual(take([row('a')], [vitals('a', { ...away, state: 'pairing', paired: false })]).down, [])
    assert.deepEqual(take([row('a')], [vitals('a', { ...away, paired: false })]).down, [], 'between two QR codes')
  })
  it('calls silent what seems connected while nothing is acknowledged', () => {
    assert.deepEqual(take([row('a')], [vitals('a', { unacknowledged: 2 })]).silent, [])
    assert.deepEqual(take([row('a')], [vitals('a', { unacknowledged: 3 })]).silent, ['a'])
    assert.deepEqual(take([row('a')], [vitals('a', { answerAgeMs: 50_001 })]).silent, ['a'])
    assert.deepEqual(take([row('a')], [vitals('a', { unacknowledged: 3, canSend: false, answerAgeMs: undefined })]).silent, [], 'that one is down')
  })
})
