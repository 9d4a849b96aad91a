import assert from 'node:assert/strict'
import { describe, it, mock, type TestContext } from 'node:test'
import { encodeSyncdPatch, newLTHashState, proto, type BinaryNode } from '@whiskeysockets/baileys'
import type { ContactsUpdated } from '@kesher/contracts'
import { AddressBook, type AddressBookOptions } from '../../src/contacts/address-book.js'
import { CollectionUnreadableError, CONTACTS, DownloadStalledError, readAnswer } from '../../src/contacts/collection.js'
import { JournalClock } from '../../src/journal/row.js'
import { createLogger } from '../../src/observability/logger.js'
import type { BookCursor } from '../../src/store/address-book.js'
import { eventually } from '../support/eventually.js'

const KEY_ID = Buffer.from('key-id')
const KEY = proto.Message.AppStateSyncKeyData.fromObject({ keyData: Buffer.alloc(32, 7) })
const keyOf = (): Promise<proto.Message.IAppStateSyncKeyData> => Promise.resolve(KEY)

async function saved(jid: string): Promise<proto.ISyncdMutation> {
  const { patch } = await encodeSyncdPatch(
    { type: CONTACTS, index: ['contact', jid], syncAction: { timestamp: 1, contactAction: { fullName: 'Dana' } }, apiVersion: 2, operation: proto.SyncdMutation.SyncdOperation.SET },
    KEY_ID.toString('base64'), newLTHashState(), keyOf,
  )
  return patch.mutations?.[0] ?? {}
}

const collection = (content: BinaryNode[], attrs: Record<string, string> = {}): BinaryNode => ({
  tag: 'iq', attrs: {}, content: [{ tag: 'sync', attrs: {}, content: [{ tag: 'collection', attrs: { name: CONTACTS, ...attrs }, content }] }],
})
const changed = (version: number, mutations: proto.ISyncdMutation[] = []): BinaryNode =>
  collection([{ tag: 'patch', attrs: {}, content: proto.SyncdPatch.encode({ version: { version }, mutations }).finish() }])
const elsewhere = (): BinaryNode =>
  collection([{ tag: 'snapshot', attrs: {}, content: proto.ExternalBlobReference.encode({ mediaKey: Buffer.alloc(32), directPath: '/book' }).finish() }])
const refused = collection([{ tag: 'error', attrs: { code: '409' } }], { type: 'error' })

const versionOf = ({ content }: BinaryNode): number => {
  const [sync] = content as BinaryNode[]
  const [asked] = sync?.content as BinaryNode[]
  return Number(asked?.attrs['version'])
}

interface Scene {
  readonly book: AddressBook
  readonly asked: number[]
  readonly stored: BookCursor[]
  readonly told: ContactsUpdated[]
}

/** Answers in their order, the last one for ever. */
function scene(t: TestContext, answers: readonly (() => BinaryNode)[], known?: BookCursor, more: Partial<AddressBookOptions> = {}): Scene {
  const [asked, stored, told]: [number[], BookCursor[], ContactsUpdated[]] = [[], [], []]
  const book = new AddressBook({
    tenantId: 't', newId: () => 'id', keyOf, random: () => 0, now: () => 1_000, clock: new JournalClock(() => 1_000), logger: createLogger('silent'),
    query: question => Promise.resolve().then(() => {
      const answer = answers[Math.min(asked.push(versionOf(question)), answers.length) - 1]
      assert.ok(answer)
      return answer()
    }),
    cursor: () => Promise.resolve(stored.at(-1) ?? known),
    advance: (cursor, rows) => {
      stored.push(cursor)
      for (const row of rows) told.push(row.event as ContactsUpdated)
      return Promise.resolve()
    },
    failed: error => { throw error },
    ...more,
  })
  t.after(() => { book.close() })
  return { book, asked, stored, told }
}

const lost = (): BinaryNode => { throw new Error('Connection Closed') }

// Beside one another: an attempt that failed is followed by the next after 2 s.
describe('reading the address book', { concurrency: true }, () => {
  it('goes on from its place after a failure that passes', async t => {
    const { book, asked, stored } = scene(t, [lost, () => changed(8)], { bookAt: 500, version: 7 })
    book.look()
    await eventually('the change', () => stored.length === 1)
    assert.deepEqual(asked, [7, 7])
    assert.deepEqual(stored, [{ bookAt: 500, version: 8 }])
  })

  it('begins anew where the place is refused, and stays with that through a failure', async t => {
    const { book, asked, stored } = scene(t, [() => refused, lost, () => changed(8)], { bookAt: 500, version: 7 })
    book.look()
    await eventually('the book', () => stored.length === 1)
    assert.deepEqual(asked, [7, 0, 0])
    assert.deepEqual(stored, [{ bookAt: 1_000, version: 8 }])
  })

  it('begins anew where a change cannot be decoded', async t => {
    const broken = (): BinaryNode => collection([{ tag: 'patch', attrs: {}, content: Buffer.from([0xff]) }])
    const { book, asked, stored } = scene(t, [broken, () => changed(8)], { bookAt: 500, version: 7 })
    book.look()
    await eventually('the book', () => stored.length === 1)
    assert.deepEqual(asked, [7, 0])
  })

  it('begins a new book above the last one though that was begun by a clock that was ahead', async t => {
    const { book, stored } = scene(t, [() => refused, () => changed(8)], { bookAt: 5_000, version: 7 })
    book.look()
    await eventually('the book', () => stored.length === 1)
    assert.deepEqual(stored, [{ bookAt: 5_001, version: 8 }])
  })

  it('hears who asks in whatever turn of the loop it ends', async t => {
    for (let turns = 0; turns < 20; turns++) {
      const { book, asked } = scene(t, [() => changed(7)], { bookAt: 500, version: 7 })
      book.look()
      while (asked.length === 0) await Promise.resolve()
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      book.look()
      await eventually(`the second question, asked for ${turns} turns after the first`, () => asked.length === 2)
    }
  })

  it('keeps its place in a book too large to be told, and tells no change of it as if that were all', async t => {
    const one = await saved('972540000000@s.whatsapp.net')
    const everybody: proto.ISyncdMutation[] = []
    while (everybody.length <= 25_000) everybody.push(await saved(`9725400${String(everybody.length).padStart(5, '0')}@s.whatsapp.net`))
    const { book, asked, stored, told } = scene(t, [() => changed(7, everybody), () => changed(8, [one])])
    book.look()
    await eventually('its place', () => stored.length === 1)
    book.look()
    await eventually('the change', () => stored.length === 2)
    assert.deepEqual(asked, [0, 7])
    assert.deepEqual(stored, [7, 8].map(version => ({ bookAt: 1_000, version, untold: true })))
    assert.deepEqual(told, [])
  })
})

describe('a file of the address book', () => {
  it('is given up when the media server stalls', async t => {
    const fetched = mock.method(globalThis, 'fetch', () => new Promise(() => undefined))
    t.after(() => { fetched.mock.restore() })
    await assert.rejects(eventuallyEnds(readAnswer(elsewhere(), 0, keyOf, 20)), DownloadStalledError)
  })

  it('is asked for again after a failure of the network, and not when it is gone', async t => {
    let respond = (): Promise<Response> => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNRESET') }))
    const fetched = mock.method(globalThis, 'fetch', () => respond())
    t.after(() => { fetched.mock.restore() })
    await assert.rejects(readAnswer(elsewhere(), 0, keyOf), TypeError)
    respond = () => Promise.resolve(new Response('', { status: 503 }))
    await assert.rejects(readAnswer(elsewhere(), 0, keyOf), /Failed to fetch stream/)
    respond = () => Promise.resolve(new Response('', { status: 410 }))
    await assert.rejects(readAnswer(elsewhere(), 0, keyOf), CollectionUnreadableError)
    respond = () => Promise.resolve(new Response(Buffer.alloc(64)))
    await assert.rejects(readAnswer(elsewhere(), 0, keyOf), CollectionUnreadableError)
  })
})

const eventuallyEnds = <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => { timer = setTimeout(() => { reject(new Error('it never ended')) }, 10_000) })
  return Promise.race([work, late]).finally(() => { clearTimeout(timer) })
}
