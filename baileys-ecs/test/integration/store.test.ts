import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { BufferJSON, initAuthCreds, proto, type SignalDataSet } from '@whiskeysockets/baileys'
import fc from 'fast-check'
import { deferred } from '../../src/concurrency/deferred.js'
import type { JournalRow, MessageRow } from '../../src/journal/row.js'
import { AuthState, JOURNAL } from '../../src/store/auth-state.js'
import { chunk, type TypedWrite } from '../../src/store/chunks.js'
import { createDynamo, documentClient, type Table } from '../../src/store/dynamo.js'
import { FencedError, ItemTooLargeError, StoreClosedError, StoreUnavailableError, TransactionTooLargeError } from '../../src/store/errors.js'
import { JournalStore } from '../../src/store/journal.js'
import { journalSortKey } from '../../src/store/keys.js'
import { SentLog } from '../../src/store/sent-log.js'
import { SessionRecords } from '../../src/store/session-records.js'
import { FencedWriter } from '../../src/store/writer.js'
import { Secrets } from '../../src/webhook/secrets.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { startSlowAws, type AwsCall, type SlowAws } from '../support/slow-aws.js'
import { createTable, type TestTable } from '../support/table.js'

const TENANT = 'shop'
let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => { await emulator.stop() })

interface Store {
  readonly aws: SlowAws
  readonly test: TestTable
  readonly table: Table
  readonly writer: FencedWriter
  readonly auth: AuthState
  readonly calls: AwsCall[]
  readonly failures: unknown[]
  readonly journalled: JournalRow[]
  keys: () => ReturnType<AuthState['openKeys']>
}

async function store(t: TestContext, retryMs = 2_000): Promise<Store> {
  const aws = await startSlowAws(emulator.url)
  t.after(() => aws.stop())
  const test = await createTable(emulator.url)
  await test.desire(TENANT, { ownerToken: 1 })
  const calls: AwsCall[] = []
  aws.watch = call => { calls.push(call) }
  const table: Table = { db: documentClient(createDynamo('us-east-1', aws.url)), name: test.name, retryMs, random: Math.random }
  const writer = new FencedWriter(table, TENANT, 1)
  const auth = new AuthState(table, writer)
  const failures: unknown[] = []
  const journalled: JournalRow[] = []
  return {
    aws, test, table, writer, auth, calls, failures, journalled,
    keys: () => auth.openKeys({ failed: error => { failures.push(error) }, journalled: rows => { journalled.push(...rows) } }),
  }
}

const message = (stamp: number, id = `M${stamp}`): MessageRow => ({
  kind: 'message', sk: journalSortKey(stamp, id), lane: 'c', receivedAt: stamp, attrs: { id, from: '1@lid' }, fromMe: false, backlog: false,
  plaintext: Buffer.from('secret text'),
})
const transactions = ({ calls }: Store): number => calls.filter(({ operation }) => operation === 'TransactWriteItems').length

describe('the auth state', () => {
  it('gives back every type as it was, also those that nobody knows yet', async t => {
    const { keys: openKeys } = await store(t)
    const keys = openKeys()
    const data = {
      'pre-key': { 1: { private: Buffer.from([1, 2]), public: Buffer.from([3]) } },
      session: { '1.0': { _sessions: { a: { chain: Buffer.from('x') } }, version: 'v1' } },
      'sender-key': { a: Buffer.from('sk') },
      'sender-key-memory': { 'x@g.us': { 'a@lid': true } },
      'app-state-sync-version': { r: { version: 3, hash: Buffer.alloc(128, 7), indexValueMap: { x: { valueMac: Buffer.from('m') } } } },
      'lid-mapping': { 972: '111', '111_reverse': '972' },
      'device-list': { 972: ['0', '3'] },
      tctoken: { 'a@lid': { token: Buffer.from('t'), timestamp: '5' } },
      'identity-key': { '1.0': Buffer.from([5, 6]) },
      'type-of-tomorrow': { x: { deep: [Buffer.from('y'), null, 1] } },
    }
    await keys.set(data as unknown as SignalDataSet)
    for (const reader of [keys, openKeys()]) { // the socket that wrote it, and the next one
      for (const [type, entries] of Object.entries(data)) {
        const found = await reader.get(type as 'session', [...Object.keys(entries), 'absent'])
        assert.deepEqual(JSON.parse(JSON.stringify(found, BufferJSON.replacer)), JSON.parse(JSON.stringify(entries, BufferJSON.replacer)), type)
      }
    }
    await keys.set({ session: { '1.0': null } })
    for (const reader of [keys, openKeys()]) assert.deepEqual(await reader.get('session', ['1.0']), {})
  })

  it('reads a session once for each socket, knows what is absent, and hands out objects of their own', async t => {
    const scene = await store(t)
    const keys = scene.keys()
    const reads = (): number => scene.calls.filter(({ operation }) => operation === 'GetItem').length
    const session = { _sessions: { a: { chain: Buffer.from('x') } } }
    await keys.set({ session: { '1.0': session as never } })
    for (let i = 0; i < 3; i++) {
      const { '1.0': found } = await keys.get('session', ['1.0']) as unknown as { readonly '1.0': typeof session }
      assert.deepEqual(found._sessions.a.chain, Buffer.from('x'))
      found._sessions.a.chain = Buffer.from('libsignal writes into what it is given')
    }
    assert.equal(reads(), 0)
    for (let i = 0; i < 3; i++) assert.deepEqual(await keys.get('session', ['2.0']), {})
    assert.equal(reads(), 1)
    await keys.set({ session: { '2.0': session as never } })
    assert.ok('2.0' in await keys.get('session', ['2.0']))
    assert.equal(reads(), 1)
  })

  it('does not keep what it read when a write of the same key overtook the read', async t => {
    const scene = await store(t)
    const keys = scene.keys()
    const value = (text: string): never => ({ _sessions: { text } }) as never
    await scene.keys().set({ session: { '1.0': value('old') } })
    const held = deferred<undefined>()
    scene.aws.hold = async ({ operation }) => { if (operation === 'GetItem') await held.promise }
    const reading = keys.get('session', ['1.0'])
    await eventually('the read', () => scene.calls.some(({ operation }) => operation === 'GetItem'))
    await keys.set({ session: { '1.0': value('new') } })
    held.resolve(undefined)
    assert.deepEqual(await reading, { '1.0': value('old') })
    assert.deepEqual(await keys.get('session', ['1.0']), { '1.0': value('new') })
  })

  it('forgets a write that the table did not take together with the socket', async t => {
    const scene = await store(t, 50)
    const keys = scene.keys()
    const value = (text: string): never => ({ _sessions: { text } }) as never
    await keys.set({ session: { '1.0': value('stored') } })
    scene.aws.refuse = () => true
    await assert.rejects(keys.set({ session: { '1.0': value('refused') } }), StoreUnavailableError)
    scene.aws.refuse = () => false
    assert.equal(scene.failures.length, 1) // which ends the socket
    for (const reader of [keys, scene.keys()]) assert.deepEqual(await reader.get('session', ['1.0']), { '1.0': value('stored') })
  })

  it('revives app-state sync keys through their proto', async t => {
    const keys = (await store(t)).keys()
    const key = proto.Message.AppStateSyncKeyData.fromObject({ keyData: Buffer.from('key'), timestamp: 5, fingerprint: { rawId: 1, deviceIndexes: [0] } })
    await keys.set({ 'app-state-sync-key': { AAAA: key } })
    const { AAAA: found } = await keys.get('app-state-sync-key', ['AAAA'])
    assert.ok(found instanceof proto.Message.AppStateSyncKeyData)
    assert.equal(Buffer.from(found.keyData ?? []).toString(), 'key')
  })

  it('begins new for a number that was never paired, and comes back as saved, in the order of the saves', async t => {
    const { auth } = await store(t)
    const creds = initAuthCreds()
    const saves = []
    for (let i = 0; i < 5; i++) {
      creds.accountSyncCounter = i
      saves.push(auth.saveCreds(creds))
    }
    creds.accountSyncCounter = 99 // after the last save: a save takes the credentials as they are at the call
    await Promise.all(saves)
    const loaded = await auth.loadCreds()
    assert.equal(loaded.accountSyncCounter, 4)
    assert.deepEqual(Buffer.from(loaded.noiseKey.private), Buffer.from(creds.noiseKey.private))
  })

  it('stores one set in one transaction, whatever its types', async t => {
    const scene = await store(t)
    await scene.keys().set({ session: { a: Buffer.from('s') }, 'identity-key': { a: Buffer.from('i') }, 'pre-key': { 5: null }, [JOURNAL]: { x: message(1) } })
    assert.equal(transactions(scene), 1)
    assert.deepEqual(scene.journalled.map(({ sk }) => sk), [message(1).sk])
  })

  it('takes the 812 pre-keys of a pairing, and an archive of all of it', async t => {
    const scene = await store(t)
    const preKeys = Object.fromEntries(Array.from({ length: 812 }, (_, i) => [i + 1, { private: Buffer.alloc(32, i), public: Buffer.alloc(32, i) }]))
    await scene.auth.saveCreds(initAuthCreds())
    await scene.keys().set({ 'pre-key': preKeys })
    assert.ok(transactions(scene) <= 11)
    assert.equal(Object.keys(await scene.keys().get('pre-key', Object.keys(preKeys))).length, 812)
    await scene.auth.archive(5)
    assert.equal((await scene.test.rows(`AUTH#${TENANT}`)).length, 0)
    assert.equal((await scene.test.rows(`ARCHIVE#${TENANT}#5`)).length, 813)
  })

  it('keeps the state of thousands of contacts in several rows, as one', async t => {
    const scene = await store(t)
    const indexValueMap = (size: number): Record<string, { valueMac: Buffer }> =>
      Object.fromEntries(Array.from({ length: size }, (_, at) => [`${at}`.padStart(44, 'x'), { valueMac: Buffer.alloc(32, at) }]))
    for (const size of [9_000, 4_000, 10]) {
      const state = { version: size, hash: Buffer.alloc(128), indexValueMap: indexValueMap(size) }
      await scene.keys().set({ 'app-state-sync-version': { critical_unblock_low: state } })
      const found = await scene.keys().get('app-state-sync-version', ['critical_unblock_low', 'regular'])
      assert.deepEqual(found, { critical_unblock_low: state })
    }
    const writes = scene.calls.filter(({ operation }) => operation === 'TransactWriteItems')
    assert.equal(writes.length, 3)
  })

  it('says clearly that a value or a set is too large, before anything is stored', async t => {
    const scene = await store(t)
    await assert.rejects(scene.keys().set({ session: { a: Buffer.alloc(400_000) } }), ItemTooLargeError)
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`${i}.0`, Buffer.from('x')]))
    await assert.rejects(scene.keys().set({ session: many }), TransactionTooLargeError)
    assert.equal(transactions(scene), 0)
    await scene.keys().set({ session: { a: Buffer.alloc(81_000) } })
  })

  it('reads strongly consistent', async t => {
    const scene = await store(t)
    await scene.keys().get('session', ['a'])
    await scene.keys().get('session', ['a', 'b'])
    await scene.auth.loadCreds()
    const reads = scene.calls.filter(({ operation }) => operation.endsWith('GetItem'))
    assert.equal(reads.length, 3)
    assert.ok(reads.every(({ body }) => body.includes('"ConsistentRead":true')))
  })
})

describe('a set that is larger than a transaction', () => {
  const write = (type: string, i: number, deleted = false): TypedWrite => ({
    type, bytes: 10, write: deleted ? { delete: { pk: 'p', sk: `${type}#${i}` } } : { put: { pk: 'p', sk: `${type}#${i}` } },
  })

  it('is cut only between entries that stand alone; all the rest changes together, at the end', () => {
    const type = fc.constantFrom('pre-key', 'lid-mapping', 'device-list', 'session', 'identity-key', JOURNAL)
    fc.assert(fc.property(fc.array(fc.tuple(type, fc.boolean()), { maxLength: 400 }), entries => {
      let together = 0
      const writes = entries.flatMap(([name, deleted], i) => {
        const standsAlone = ['pre-key', 'lid-mapping', 'device-list'].includes(name) && !(name === 'pre-key' && deleted)
        if (!standsAlone && ++together > 90) return []
        return [write(name, i, deleted)]
      })
      const chunks = chunk(writes)
      assert.deepEqual(chunks.flat().map(({ write: w }) => w).sort(), writes.map(({ write: w }) => w).sort())
      assert.ok(chunks.every(part => part.length <= 99))
      const parts = chunks.filter(part => part.some(({ type: name, write: w }) => !['pre-key', 'lid-mapping', 'device-list'].includes(name) || (name === 'pre-key' && 'delete' in w)))
      assert.ok(parts.length <= 1)
      if (parts.length === 1) assert.equal(parts[0], chunks.at(-1))
    }))
  })
})

describe('a write', () => {
  it('with an old token stores nothing and says that it is fenced, before the error reaches Baileys', async t => {
    const scene = await store(t)
    await scene.test.desire(TENANT, { ownerToken: 2 })
    await assert.rejects(scene.keys().set({ session: { a: Buffer.from('x') }, [JOURNAL]: { x: message(1) } }), FencedError)
    assert.ok(scene.failures[0] instanceof FencedError)
    assert.deepEqual(scene.journalled, [])
    assert.deepEqual(await scene.test.rows(`AUTH#${TENANT}`), [])
    assert.deepEqual(await scene.test.rows(`JOURNAL#${TENANT}`), [])
    await assert.rejects(scene.auth.saveCreds(initAuthCreds()), FencedError)
  })

  it('is repeated through errors that pass, and done once when only its answer was lost', async t => {
    const scene = await store(t)
    let trouble = 4
    scene.aws.refuse = () => trouble > 2 && trouble-- > 0
    scene.aws.loseAnswer = () => trouble > 0 && trouble-- > 0
    await scene.keys().set({ session: { a: Buffer.from('x') } })
    assert.deepEqual(Object.keys(await scene.keys().get('session', ['a'])), ['a'])
    assert.deepEqual(scene.failures, [])
    const tokens = scene.calls.filter(({ operation }) => operation === 'TransactWriteItems')
      .map(({ body }) => (JSON.parse(body) as { ClientRequestToken: string }).ClientRequestToken)
    assert.equal(new Set(tokens).size, 1)
    assert.ok(tokens.length > 1)
  })

  it('that the database does not take in time ends the socket', async t => {
    const scene = await store(t, 200)
    scene.aws.refuse = () => true
    await assert.rejects(scene.keys().set({ session: { a: Buffer.from('x') } }), StoreUnavailableError)
    assert.ok(scene.failures[0] instanceof StoreUnavailableError)
    await assert.rejects(scene.keys().get('session', ['a']), StoreUnavailableError)
    assert.equal(scene.failures.length, 2)
  })

  it('for a socket that has ended is refused, but credentials are still saved', async t => {
    const scene = await store(t)
    const keys = scene.keys()
    scene.aws.latencyMs = [50, 60]
    const [first, second] = [keys.set({ session: { a: Buffer.from('x') } }), keys.set({ session: { b: Buffer.from('x') } })]
    const saved = scene.auth.saveCreds(initAuthCreds())
    keys.close()
    await assert.rejects(first, StoreClosedError)
    await assert.rejects(second, StoreClosedError)
    await assert.rejects(keys.get('session', ['a']), StoreClosedError)
    await saved
    assert.deepEqual(scene.failures, [])
    assert.deepEqual((await scene.test.rows(`AUTH#${TENANT}`)).map(({ sk }) => sk).filter(sk => sk === 'session#b'), [])
  })

  it('waits for the one before it: a number has one writer', async t => {
    const scene = await store(t)
    let running = 0
    let most = 0
    scene.aws.watch = async () => {
      most = Math.max(most, ++running)
      await new Promise(done => { setTimeout(done, 5) })
      running--
    }
    await Promise.all(Array.from({ length: 10 }, (_, i) => scene.keys().set({ session: { [`${i}.0`]: Buffer.from('x') } })))
    assert.equal(most, 1)
  })
})

describe('the journal', () => {
  it('is read in pages, oldest first, and keeps what is parked', async t => {
    const scene = await store(t)
    const journal = new JournalStore(scene.table, TENANT)
    const rows = [3, 1, 10, 2].map(stamp => message(stamp))
    for (const row of rows) await scene.keys().set({ [JOURNAL]: { [row.sk]: row } })
    const first = await journal.page('', 3)
    assert.deepEqual(first.rows.map(({ sk }) => sk), [1, 2, 3].map(stamp => message(stamp).sk))
    const [row] = first.rows
    assert.ok(row?.kind === 'message' && Buffer.from(row.plaintext ?? []).toString() === 'secret text')
    const second = await journal.page(first.next ?? '', 3)
    assert.deepEqual(second.rows.map(({ sk }) => sk), [message(10).sk])
    assert.equal(second.next, undefined)
    assert.equal(await journal.newestKey(), message(10).sk)
    await journal.park(message(1).sk, { at: 5, status: 422, reason: 'bad' })
    await journal.remove(message(2).sk)
    const left = await journal.page('', 10)
    assert.deepEqual(left.rows.map(({ sk, parked }) => [sk, parked?.status]), [[message(1).sk, 422], [message(3).sk, undefined], [message(10).sk, undefined]])
  })
})

describe('the sent log', () => {
  it('knows a message by its id alone, across restarts, and forgets it after a day', async t => {
    const scene = await store(t)
    const sent = { messageId: 'A1', chatJid: '1@lid', correlationId: 'c', content: Buffer.from('proto'), createdAt: 1_700_000_000_000 }
    await new SentLog(scene.table, scene.writer).record(sent)
    const log = new SentLog(scene.table, scene.writer)
    const found = await log.get('A1')
    assert.equal(Buffer.from(found?.content ?? []).toString(), 'proto')
    assert.equal(found?.acknowledgedAt, undefined)
    assert.equal(await log.get('B2'), undefined)
    const [row] = await scene.test.rows(`SENT#${TENANT}`)
    assert.equal(row?.['expiresAt'], 1_700_000_000 + 86_400)
  })

  it('keeps the first acknowledgement, and is not troubled by one for an unknown id', async t => {
    const scene = await store(t)
    const log = new SentLog(scene.table, scene.writer)
    await log.record({ messageId: 'A1', chatJid: '1@lid', correlationId: 'c', content: Buffer.from('x'), createdAt: 1 })
    await log.note('A1', { acknowledgedAt: 5 })
    await log.note('A1', { acknowledgedAt: 9 })
    await log.note('unknown', { acknowledgedAt: 9 })
    assert.equal((await log.get('A1'))?.acknowledgedAt, 5)
    assert.equal((await new SentLog(scene.table, scene.writer).get('A1'))?.acknowledgedAt, 5)
    assert.equal(await new SentLog(scene.table, scene.writer).get('unknown'), undefined)
  })
})

describe('a claim', () => {
  it('raises the token, also when its answer is lost; a second one of the same row fails', async t => {
    const scene = await store(t)
    const records = new SessionRecords(scene.table, undefined)
    const seen = await records.get(TENANT)
    assert.ok(seen)
    let lost = 1
    scene.aws.loseAnswer = ({ operation }) => operation === 'UpdateItem' && lost-- > 0
    const claimed = await records.claim(seen, { id: 'container', url: 'http://one' }, 7)
    assert.deepEqual([claimed?.ownerToken, claimed?.ownerUrl], [2, 'http://one'])
    assert.equal(await records.claim(seen, { id: 'container', url: 'http://two' }, 8), undefined)
    assert.equal((await records.get(TENANT))?.ownerUrl, 'http://one')
  })

  it('is not made for a session whose desire has changed meanwhile', async t => {
    const scene = await store(t)
    const records = new SessionRecords(scene.table, undefined)
    const seen = await records.get(TENANT)
    assert.ok(seen)
    await scene.test.desire(TENANT, { desired: 'stopped' })
    assert.equal(await records.claim(seen, { id: 'container', url: 'http://one' }, 7), undefined)
  })

  it('does not take back a session that was given away since its row was read', async t => {
    const { table, test, writer } = await store(t)
    const records = new SessionRecords(table, undefined)
    await test.desire(TENANT, { desired: 'linked' })
    const free = await records.get(TENANT)
    assert.ok(free)
    const held = await records.claim(free, { id: 'giver', url: 'http://giver' }, 7)
    assert.ok(held)
    await assert.rejects(writer.writeSession({ state: 'disconnected', ownerUrl: undefined, ownerId: undefined }, []), FencedError)
    await new FencedWriter(table, TENANT, held.ownerToken ?? 0).writeSession({ state: 'disconnected', ownerUrl: undefined, ownerId: undefined }, [])
    const { ownerId, ownerUrl, state } = await records.get(TENANT) ?? {}
    assert.deepEqual([ownerId, ownerUrl, state], [undefined, undefined, 'disconnected'])
    assert.equal(await records.claim(held, { id: 'giver', url: 'http://giver' }, 8), undefined)
  })

  it('finds every session row, and only those', async t => {
    const scene = await store(t)
    for (const tenant of ['a', 'b']) await scene.test.desire(tenant, { desired: 'stopped' })
    await scene.table.db.send(new PutCommand({ TableName: scene.table.name, Item: { pk: 'AUTH#a', sk: 'CREDS', value: '{}' } }))
    const found = await new SessionRecords(scene.table, undefined).list()
    assert.deepEqual(found.map(({ tenantId }) => tenantId).sort(), ['a', 'b', TENANT])
  })
})

describe('the internal secret in Secrets Manager', () => {
  it('is read by its ARN and again after a rotation', async () => {
    const client = new SecretsManagerClient({ region: 'us-east-1', endpoint: emulator.url })
    const { ARN: arn = '' } = await client.send(new CreateSecretCommand({ Name: 'internal', SecretString: '{"current":"one"}' }))
    let now = 0
    const secrets = Secrets.from({ kind: 'arn', arn }, client, () => now)
    assert.equal((await secrets.current()).current, 'one')
    await client.send(new PutSecretValueCommand({ SecretId: arn, SecretString: '{"current":"two","previous":"one"}' }))
    now = 61_000
    assert.equal(await secrets.verify('two'), true)
    assert.equal(await secrets.verify('one'), true)
    assert.equal((await secrets.current()).current, 'two')
  })
})
