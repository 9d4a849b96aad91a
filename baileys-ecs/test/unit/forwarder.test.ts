import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Event } from '@kesher/contracts'
import { proto } from '@whiskeysockets/baileys'
import fc from 'fast-check'
import { Forwarder } from '../../src/journal/forwarder.js'
import type { JournalRow, MessageRow, Parked, StoredFile } from '../../src/journal/row.js'
import { Counters } from '../../src/observability/counters.js'
import { createLogger } from '../../src/observability/logger.js'
import { journalSortKey } from '../../src/store/keys.js'
import type { JournalStore } from '../../src/store/journal.js'
import type { Delivery } from '../../src/webhook/client.js'
import { eventually } from '../support/eventually.js'

/** The journal in memory, in pages. */
class MemoryJournal implements Pick<JournalStore, 'page' | 'remove' | 'park' | 'noteFile'> {
  readonly rows = new Map<string, JournalRow>()
  reads = 0

  constructor(readonly pageSize: number) {}

  async page(after: string): Promise<{ rows: JournalRow[]; next?: string }> {
    this.reads++
    await turn()
    const later = [...this.rows.values()].filter(({ sk }) => sk > after).sort((a, b) => a.sk < b.sk ? -1 : 1)
    const rows = later.slice(0, this.pageSize)
    const last = rows.at(-1)
    return { rows, ...(later.length > rows.length && last !== undefined ? { next: last.sk } : {}) }
  }

  async remove(sk: string): Promise<void> {
    await turn()
    this.rows.delete(sk)
  }

  async park(sk: string, parked: Parked): Promise<void> {
    await turn()
    const row = this.rows.get(sk)
    if (row !== undefined) this.rows.set(sk, { ...row, parked })
  }

  async noteFile(sk: string, media: StoredFile): Promise<void> {
    await turn()
    const row = this.rows.get(sk)
    if (row?.kind === 'message') this.rows.set(sk, { ...row, media })
  }
}

const turn = (): Promise<void> => new Promise(done => { setImmediate(done) })

function row(stamp: number, chat: string): MessageRow {
  const id = `M${stamp}`
  return {
    kind: 'message', sk: journalSortKey(stamp, id), lane: chat, receivedAt: stamp, fromMe: false, backlog: false,
    attrs: { id, from: `${chat}@lid`, t: '1' }, plaintext: proto.Message.encode({ conversation: id }).finish(),
  }
}

interface World {
  readonly journal: MemoryJournal
  readonly forwarder: Forwarder
  readonly taken: { readonly chat: string; readonly id: string }[]
  readonly counters: Counters
  put: (row: JournalRow) => void
}

function world({ pageSize = 3, deliver = () => ({ kind: 'accepted' }), stored = [] as readonly JournalRow[], ours = () => false, files = () => undefined }: {
  pageSize?: number; deliver?: (event: Event) => Delivery; stored?: readonly JournalRow[]; ours?: (row: JournalRow) => boolean
  files?: (row: MessageRow) => StoredFile | undefined
} = {}): World {
  const journal = new MemoryJournal(pageSize)
  for (const each of stored) journal.rows.set(each.sk, each)
  const taken: { chat: string; id: string }[] = []
  const counters = new Counters()
  const forwarder = new Forwarder({
    tenantId: 't', journal: journal as unknown as JournalStore, concurrency: 4, random: () => 0, now: Date.now, logger: createLogger('silent'), counters,
    settled: () => undefined, isOwnEcho: each => Promise.resolve(ours(each)),
    storeFile: each => Promise.resolve(files(each)),
    deliver: async event => {
      await turn()
      const delivery = deliver(event)
      if (delivery.kind === 'accepted' && event.type === 'message.received') taken.push({ chat: event.chat.jid, id: event.messageId })
      return delivery
    },
  })
  return { journal, forwarder, taken, counters, put: each => { journal.rows.set(each.sk, each); forwarder.offer(each) } }
}

const drained = async ({ journal }: World): Promise<void> => {
  await eventually('an empty journal', () => [...journal.rows.values()].every(({ parked }) => parked !== undefined))
}

describe('the forwarder', () => {
  it('brings everything, in order within each chat, from the table and live, whatever fails on the way', async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 25 }), fc.nat({ max: 25 }), fc.array(fc.boolean(), { maxLength: 15 }),
      async (chats, restartAt, failures) => {
        const rows = chats.map((chat, i) => row(i + 1, chat))
        const pending = [...failures]
        const everything = world({
          stored: rows.slice(0, restartAt),
          deliver: () => pending.shift() === true ? { kind: 'failed', slow: false, reason: 'the test said so' } : { kind: 'accepted' },
        })
        everything.forwarder.start()
        for (const each of rows.slice(restartAt)) {
          everything.put(each)
          if (each.receivedAt % 3 === 0) await turn()
        }
        await drained(everything)
        await everything.forwarder.stop()
        for (const chat of ['1', '2', '3']) {
          const expected = rows.filter(({ lane }) => lane === chat).map(({ attrs }) => attrs['id'])
          assert.deepEqual(everything.taken.filter(({ chat: jid }) => jid === `${chat}@lid`).map(({ id }) => id), expected)
        }
      },
    ), { numRuns: 30 })
  })

  it('holds a bounded part of a long journal in memory, and still brings it all', async () => {
    const rows = Array.from({ length: 2_500 }, (_, i) => row(i + 1, String(i % 7)))
    let open = false
    const much = world({ pageSize: 200, stored: rows, deliver: () => open ? { kind: 'accepted' } : { kind: 'failed', slow: false, reason: 'down' } })
    much.forwarder.start()
    await eventually('a full memory', () => much.forwarder.backlog >= 1_000)
    for (let i = 0; i < 500; i++) much.put(row(3_000 + i, String(i % 7)))
    assert.ok(much.forwarder.backlog <= 1_200, String(much.forwarder.backlog))
    open = true
    await drained(much)
    assert.equal(much.taken.length, 3_000)
    const ofFirst = much.taken.filter(({ chat }) => chat === '0@lid').map(({ id }) => Number(id.slice(1)))
    assert.deepEqual(ofFirst, [...ofFirst].sort((a, b) => a - b))
    await much.forwarder.stop()
  })

  it('takes a row that was committed late, behind one with a higher key', async () => {
    const late = world()
    late.forwarder.start()
    await eventually('the first read', () => late.journal.reads > 0)
    await turn()
    late.put(row(20, '1'))
    late.put(row(10, '2'))
    await drained(late)
    assert.deepEqual(late.taken.map(({ id }) => id).sort(), ['M10', 'M20'])
    await late.forwarder.stop()
  })

  it('parks what is refused for good, goes on with the chat, and leaves parked rows alone', async () => {
    const some = world({ deliver: event => event.type === 'message.received' && event.messageId === 'M2' ? { kind: 'refused', status: 422, reason: 'bad' } : { kind: 'accepted' } })
    some.forwarder.start()
    for (const stamp of [1, 2, 3]) some.put(row(stamp, '1'))
    await drained(some)
    assert.deepEqual(some.taken.map(({ id }) => id), ['M1', 'M3'])
    assert.equal(some.counters.get('eventsParked'), 1)
    await some.forwarder.stop()
    const again = world({ stored: [...some.journal.rows.values()] })
    again.forwarder.start()
    again.put(row(9, '1'))
    await drained(again)
    assert.deepEqual(again.taken.map(({ id }) => id), ['M9'])
    await again.forwarder.stop()
  })

  it('brings a parked row once a person has given it back', async () => {
    const given = world({ stored: [{ ...row(1, '1'), parked: { at: 1, status: 422, reason: 'bad' } }] })
    given.forwarder.start()
    given.put(row(2, '1'))
    await drained(given)
    await given.forwarder.recheck()
    assert.deepEqual(given.taken.map(({ id }) => id), ['M2'])
    given.journal.rows.set(row(1, '1').sk, row(1, '1')) // the mark is taken away
    await given.forwarder.recheck()
    await drained(given)
    assert.deepEqual(given.taken.map(({ id }) => id), ['M2', 'M1'])
    await given.forwarder.stop()
  })

  it('finds what was given back behind any number of parked rows, and the oldest again after it', async () => {
    const parked = { at: 1, status: 422, reason: 'bad' }
    const given = world({ pageSize: 10, stored: Array.from({ length: 95 }, (_, i) => ({ ...row(i + 1, '1'), parked })) })
    given.forwarder.start()
    await eventually('the first read', () => given.journal.reads >= 10)
    const giveBack = async (stamp: number): Promise<void> => {
      given.journal.rows.set(row(stamp, '1').sk, row(stamp, '1'))
      for (let look = 0; look < 10; look++) await given.forwarder.recheck()
      await eventually('its delivery', () => given.taken.at(-1)?.id === `M${stamp}`)
    }
    for (const stamp of [95, 50, 1, 94]) await giveBack(stamp)
    assert.deepEqual(given.taken.map(({ id }) => id), ['M95', 'M50', 'M1', 'M94'])
    await given.forwarder.stop()
  })

  it('fetches a file once, whatever the webhook does, and not again after a restart', async () => {
    const picture = { ...row(1, '1'), plaintext: proto.Message.encode({ imageMessage: { mimetype: 'image/png' } }).finish() }
    const media = { objectKey: 'media/t/2026-11/x', sha256: 'x', bytes: 1 }
    let fetched = 0
    let failures = 3
    const events: Event[] = []
    const files = (): StoredFile => { fetched++; return media }
    const deliver = (event: Event): Delivery => {
      events.push(event)
      return failures-- > 0 ? { kind: 'failed', slow: false, reason: 'down' } : { kind: 'accepted' }
    }
    const first = world({ stored: [picture], files, deliver })
    first.forwarder.start()
    await eventually('a try', () => failures < 3)
    await first.forwarder.stop()
    const second = world({ stored: [...first.journal.rows.values()], files, deliver })
    second.forwarder.start()
    await drained(second)
    await second.forwarder.stop()
    assert.equal(fetched, 1)
    for (const event of events) assert.deepEqual(event.type === 'message.received' && event.content, { kind: 'image', mediaType: 'image/png', ...media })
  })

  it('removes the echo of what this gateway sent, without a word to the webhook', async () => {
    const echo = world({ ours: ({ sk }) => sk.endsWith('M1') })
    echo.forwarder.start()
    for (const stamp of [1, 2]) echo.put(row(stamp, '1'))
    await drained(echo)
    assert.deepEqual(echo.taken.map(({ id }) => id), ['M2'])
    await echo.forwarder.stop()
  })

  it('stops in the middle, and what was not taken stays in the journal', async () => {
    const stopped = world({ deliver: () => ({ kind: 'failed', slow: true, reason: 'unknown tenant' }) })
    stopped.forwarder.start()
    for (const stamp of [1, 2, 3]) stopped.put(row(stamp, String(stamp)))
    await eventually('a try', () => stopped.counters.get('deliveriesFailed') > 0)
    await stopped.forwarder.stop()
    assert.equal(stopped.journal.rows.size, 3)
  })
})
