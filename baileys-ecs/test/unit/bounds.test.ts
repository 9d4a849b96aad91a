import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { proto } from '@whiskeysockets/baileys'
import { LIDMappingStore } from '@whiskeysockets/baileys/lib/Signal/lid-mapping.js'
import { Backpressure } from '../../src/concurrency/backpressure.js'
import { deadline } from '../../src/concurrency/deadline.js'
import { deferred } from '../../src/concurrency/deferred.js'
import { buildHttp } from '../../src/http/build.js'
import { Forwarder } from '../../src/journal/forwarder.js'
import type { MessageRow } from '../../src/journal/row.js'
import { Counters } from '../../src/observability/counters.js'
import { baileysLogger, createLogger } from '../../src/observability/logger.js'
import { boundLidMemory } from '../../src/session/lid-memory.js'
import { Pulse } from '../../src/session/pulse.js'
import { retryCounters } from '../../src/session/retry-counters.js'
import type { JournalStore } from '../../src/store/journal.js'
import type { Table } from '../../src/store/dynamo.js'
import { journalSortKey } from '../../src/store/keys.js'
import { SentLog } from '../../src/store/sent-log.js'
import { FencedWriter } from '../../src/store/writer.js'
import { Secrets } from '../../src/webhook/secrets.js'
import { eventually } from '../support/eventually.js'

describe('a flood of stanzas', () => {
  it('is not read while too many are in hand, and read again when they are fewer', async () => {
    const steps: string[] = []
    const pressure = new Backpressure({ high: 3, low: 1, pause: () => steps.push('pause'), resume: () => steps.push('resume') })
    const works = [1, 2, 3, 4].map(() => deferred<undefined>())
    const finish = async (index: number): Promise<void> => {
      works[index]?.resolve(undefined)
      await new Promise(done => { setImmediate(done) })
    }
    for (const { promise } of works) pressure.track(promise)
    assert.deepEqual([steps, pressure.isPaused], [['pause'], true], 'once, and not again for what comes beyond')
    await finish(0)
    await finish(1)
    assert.deepEqual(steps, ['pause'])
    await finish(2)
    assert.deepEqual([steps, pressure.isPaused], [['pause', 'resume'], false])
  })
  it('counts a work that fails as ended', async () => {
    const pressure = new Backpressure({ high: 1, low: 0, pause: () => undefined, resume: () => undefined })
    pressure.track(Promise.reject(new Error('x')))
    await eventually('the end', () => !pressure.isPaused)
  })
  it('is not taken for a silence of WhatsApp while nothing is read', async () => {
    let silent = 0
    const pulse = new Pulse({ silenceMs: 60, probeMs: 20, monotonic: () => performance.now(), probe: () => undefined, silent: () => { silent += 1 } })
    pulse.heard()
    pulse.rest()
    pulse.doubt()
    await new Promise(done => setTimeout(done, 150))
    assert.equal(silent, 0)
    assert.equal(pulse.isFresh, false, 'nobody sends on it meanwhile')
    pulse.wake()
    await eventually('the judgement', () => silent === 1)
    pulse.stop()
  })
})

describe('a flood of retry receipts', () => {
  it('is remembered up to a bound, whatever the length of the ids', () => {
    const counters = retryCounters()
    for (let i = 0; i < 6_000; i++) void counters.set(`${i} ${'x'.repeat(i % 100 === 0 ? 100_000 : 20)}`, i)
    const known = Array.from({ length: 6_000 }, (_, i) => counters.get<number>(`${i} ${'x'.repeat(i % 100 === 0 ? 100_000 : 20)}`)).filter(value => value !== undefined)
    assert.ok(known.length < 5_000)
    assert.equal(known.at(-1), 5_999)
  })
})

describe('people whom a socket meets', () => {
  it('are remembered up to a bound, and the others are known from the table', async () => {
    const stored = new Map<string, string>()
    const keys = {
      get: (_: string, ids: string[]) => Promise.resolve(Object.fromEntries(ids.flatMap(id => stored.has(id) ? [[id, stored.get(id)]] : []))),
      set: (data: { 'lid-mapping'?: Record<string, string> }) => {
        for (const [id, value] of Object.entries(data['lid-mapping'] ?? {})) stored.set(id, value)
        return Promise.resolve()
      },
      transaction: <T>(work: () => Promise<T>) => work(), isInTransaction: () => false,
    }
    const lidMapping = new LIDMappingStore(keys as never, baileysLogger(createLogger('silent')))
    boundLidMemory({ lidMapping })
    const { mappingCache } = lidMapping as unknown as { readonly mappingCache: { readonly size: number } }
    for (let i = 0; i < 5; i++) {
      await lidMapping.storeLIDPNMappings(Array.from({ length: 1_000 }, (_, n) => ({ lid: `8${i}${n}@lid`, pn: `97250${i}${n}@s.whatsapp.net` })))
    }
    assert.ok(mappingCache.size <= 4_000, String(mappingCache.size))
    assert.match(await lidMapping.getPNForLID('800@lid') ?? '', /^9725000[:@]/)
    lidMapping.close()
    assert.equal(mappingCache.size, 0)
  })
})

describe('messages that a number sent', () => {
  it('are remembered up to a bound, the newest ones', async () => {
    const db = { send: () => Promise.resolve({}) } as never
    const table: Table = { db, name: 't', retryMs: 0, random: () => 0 }
    const sent = new SentLog(table, new FencedWriter(table, 'shop', 1))
    const record = (n: number, bytes: number): Promise<void> => sent.record({
      messageId: `M${n}`, chatJid: 'x@lid', correlationId: 'c', content: new Uint8Array(bytes), createdAt: 0,
    })
    for (let n = 0; n < 600; n++) await record(n, 100)
    assert.deepEqual([sent.isRecent('M0'), sent.isRecent('M599')], [false, true])
    for (let n = 600; n < 620; n++) await record(n, 100_000)
    assert.deepEqual([sent.isRecent('M599'), sent.isRecent('M619')], [false, true])
  })

  it('keep none of the pool that their bytes were encoded in', async () => {
    const db = { send: () => Promise.resolve({}) } as never
    const table: Table = { db, name: 't', retryMs: 0, random: () => 0 }
    const sent = new SentLog(table, new FencedWriter(table, 'shop', 1))
    const content = Buffer.from('a piece of a pool')
    assert.equal(content.buffer.byteLength, Buffer.poolSize)
    await sent.record({ messageId: 'M', chatJid: 'x@lid', correlationId: 'c', content, createdAt: 0 })
    const kept = (await sent.get('M'))?.content
    assert.deepEqual([kept?.buffer.byteLength, Buffer.from(kept ?? []).toString()], [content.length, 'a piece of a pool'])
  })
})

describe('a deadline within something that lasts', () => {
  it('leaves nothing in it, and ends with whichever ends first', async () => {
    const stop = new AbortController()
    for (let i = 0; i < 3; i++) deadline(60_000, stop.signal).release()
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
    const short = deadline(20, stop.signal)
    await once(short.signal, 'abort')
    const long = deadline(60_000, stop.signal)
    stop.abort()
    assert.equal(long.signal.aborted, true)
    assert.equal(deadline(60_000, stop.signal).signal.aborted, true)
    short.release()
    long.release()
  })
})

describe('large messages of many chats while the webhook is away', () => {
  it('wait in the table, not in memory', async () => {
    const rows = Array.from({ length: 120 }, (_, i): MessageRow => ({
      kind: 'message', sk: journalSortKey(i + 1, `M${i}`), lane: `chat ${i}`, receivedAt: i + 1, fromMe: false, backlog: false,
      attrs: { id: `M${i}`, from: `${i}@lid`, t: '1' }, plaintext: proto.Message.encode({ conversation: 'x'.repeat(200_000) }).finish(),
    }))
    const stored = new Map(rows.map(row => [row.sk, row]))
    let away = true
    let most = 0
    const journal: Pick<JournalStore, 'page' | 'remove'> = {
      page: (after, limit) => {
        const later = [...stored.values()].filter(({ sk }) => sk > after)
        const page = later.slice(0, Math.min(limit, 5)) // DynamoDB ends a page at 1 MB
        const last = page.at(-1)
        return Promise.resolve({ rows: page, ...(later.length > page.length && last !== undefined ? { next: last.sk } : {}) })
      },
      remove: sk => { stored.delete(sk); return Promise.resolve() },
    }
    const forwarder = new Forwarder({
      tenantId: 't', journal: journal as JournalStore, concurrency: 4, random: () => 0, now: Date.now, logger: createLogger('silent'), counters: new Counters(),
      settled: () => undefined, isOwnEcho: () => Promise.resolve(false), storeFile: () => Promise.resolve(undefined),
      deliver: () => {
        most = Math.max(most, forwarder.heldBytes)
        return Promise.resolve(away ? { kind: 'failed', slow: false, reason: 'away' } : { kind: 'accepted' })
      },
    })
    forwarder.start()
    await eventually('a full hand', () => forwarder.heldBytes > 8_000_000)
    for (const row of rows.slice(60)) forwarder.offer(row)
    assert.ok(forwarder.backlog < 60, String(forwarder.backlog))
    away = false
    await eventually('all of them', () => stored.size === 0)
    assert.ok(most < 10_000_000, String(most))
    await eventually('nothing in hand', () => forwarder.heldBytes === 0)
    await forwarder.stop()
  })
})

describe('a caller of the HTTP API that dribbles', () => {
  it('is cut off, in the middle of the headers and in the middle of the body', async t => {
    const app = buildHttp({
      session: () => undefined, restart: () => undefined, elsewhere: () => Promise.resolve(undefined), health: () => ({ status: 'ok', sessions: 0, connected: 0 }),
      secrets: new Secrets(() => Promise.resolve({ current: 's' }), () => 0), logger: createLogger('silent'), requestMs: 200,
    })
    t.after(() => app.close())
    await app.listen({ host: '127.0.0.1', port: 0 })
    const address = app.server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const head = 'POST /whatsapp/shop/messages HTTP/1.1\r\nHost: x\r\n'
    for (const begun of [head, `${head}X-Internal-Secret: s\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"version"`]) {
      const socket = connect(address.port, '127.0.0.1')
      const closed = deferred<string>()
      let heard = ''
      socket.on('data', chunk => { heard += chunk.toString() }).on('close', () => { closed.resolve(heard) }).on('error', () => undefined)
      socket.write(begun)
      const dribble = setInterval(() => socket.write(begun === head ? 'X-Slow: 1\r\n' : ' '), 50)
      assert.match(await closed.promise, /^HTTP\/1.1 408 /)
      clearInterval(dribble)
    }
    assert.ok(app.server.maxConnections <= 256)
  })
})
