import { BatchGetCommand, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import {
  initAuthCreds, type AuthenticationCreds, type SignalDataSet, type SignalDataTypeMap, type SignalKeyStore,
} from '@whiskeysockets/baileys'
import type { JournalRow } from '../journal/row.js'
import { chunk, type TypedWrite } from './chunks.js'
import { persist, type Table } from './dynamo.js'
import { decodeCreds, decodeValue, encodeAny, encodeValue } from './encoding.js'
import { StoreClosedError } from './errors.js'
import { journalItem } from './journal.js'
import { KeyCache, type Stored } from './key-cache.js'
import { archivePartition, authKey, authPartition, credsKey, type Key } from './keys.js'
import { divided, isDivided, joined, restOf } from './parts.js'
import type { FencedWriter } from './writer.js'

/** Key type under which journal rows travel through Baileys' transaction, so that they commit with the ratchet. */
export const JOURNAL = 'journal'
export type DataSet = SignalDataSet & { readonly [JOURNAL]?: Readonly<Record<string, JournalRow>> }

export interface KeyStoreHooks {
  /** Called before a failure reaches Baileys, which would answer it with a nack and so lose the message. */
  readonly failed: (error: unknown) => void
  /** Called when rows are in the table. */
  readonly journalled: (rows: readonly JournalRow[]) => void
}

interface AuthWrite extends TypedWrite {
  readonly id: string
  readonly json: Stored
}

const BATCH_GET_KEYS = 100

/** Auth state of one number in DynamoDB, write-through: a `set` has returned when the table has it. */
export class AuthState {
  readonly #table: Table
  readonly #writer: FencedWriter

  constructor(table: Table, writer: FencedWriter) {
    this.#table = table
    this.#writer = writer
  }

  /** Credentials as stored, or new ones for a number that was never paired. */
  async loadCreds(): Promise<AuthenticationCreds> {
    const { Item } = await persist(this.#table, () => this.#table.db.send(new GetCommand({
      TableName: this.#table.name, Key: credsKey(this.#writer.tenantId), ConsistentRead: true,
    })))
    return Item === undefined ? initAuthCreds() : decodeCreds(String(Item['value']))
  }

  /** Takes the credentials as they are at the call; saves end in the order of the calls. */
  async saveCreds(creds: AuthenticationCreds): Promise<void> {
    const value = encodeValue('the credentials', creds)
    await this.#writer.write([{ put: { ...credsKey(this.#writer.tenantId), value } }])
  }

  /** Key store of one socket. */
  openKeys(hooks: KeyStoreHooks): SocketKeys {
    return new SocketKeys(this.#table, this.#writer, hooks)
  }

  /** Puts the auth state aside, readable for a person and out of the way of a new pairing. */
  async archive(at: number): Promise<void> {
    const { tenantId } = this.#writer
    // Page by page, each moved whole; an interrupted archive goes on at the next call. Credentials sort first: without
    // them the rest is dead already.
    for (;;) {
      const { Items = [] } = await persist(this.#table, () => this.#table.db.send(new QueryCommand({
        TableName: this.#table.name, ConsistentRead: true, Limit: 40,
        KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': authPartition(tenantId) },
      })))
      if (Items.length === 0) return
      await this.#writer.write(Items.flatMap(item => {
        const key: Key = { pk: String(item['pk']), sk: String(item['sk']) }
        return [{ put: { ...item, pk: archivePartition(tenantId, at), sk: key.sk } }, { delete: key }]
      }))
    }
  }
}

/** The keys as one socket sees them. After `close` it refuses everything: a dead socket must not write over a new one. */
export class SocketKeys implements SignalKeyStore {
  readonly #table: Table
  readonly #writer: FencedWriter
  readonly #hooks: KeyStoreHooks
  readonly #cache = new KeyCache()
  #closed = false

  constructor(table: Table, writer: FencedWriter, hooks: KeyStoreHooks) {
    this.#table = table
    this.#writer = writer
    this.#hooks = hooks
  }

  close(): void {
    this.#closed = true
  }

  get isClosed(): boolean {
    return this.#closed
  }

  async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]): Promise<Record<string, SignalDataTypeMap[T]>> {
    return this.#guard(async () => {
      const known = this.#cache.known(type, ids)
      const missing = [...new Set(ids)].filter(id => !known.has(id))
      const stored = missing.length === 0 ? known : new Map([...known, ...await this.#fetch(type, missing)])
      const found: Record<string, SignalDataTypeMap[T]> = {}
      for (const [id, json] of stored) if (json !== undefined) found[id] = decodeValue(type, json)
      return found
    })
  }

  async #fetch(type: keyof SignalDataTypeMap, ids: readonly string[]): Promise<Map<string, Stored>> {
    const learn = this.#cache.reading(type)
    const keys = new Map(ids.map(id => [authKey(this.#writer.tenantId, type, id).sk, id]))
    const values = new Map<string, Stored>(ids.map(id => [id, undefined]))
    for await (const item of this.#read([...keys.keys()])) {
      const id = keys.get(String(item['sk']))
      if (id !== undefined) values.set(id, await this.#whole(item))
    }
    learn(values)
    return values
  }

  /** The value that begins in this row. */
  async #whole(found: Record<string, unknown>): Promise<string> {
    for (let first = found; ;) {
      const rest: Record<string, unknown>[] = []
      for await (const item of this.#read(restOf(first))) rest.push(item)
      const json = joined(first, rest)
      if (json !== undefined) return json
      for await (const item of this.#read([String(found['sk'])])) first = item
    }
  }

  async set(data: DataSet): Promise<void> {
    await this.#guard(async () => {
      const { [JOURNAL]: journal = {}, ...auth } = data
      const rows = Object.values(journal)
      const authWrites = this.#authWrites(auth)
      for (const transaction of chunk([...authWrites, ...this.#journalWrites(rows)])) {
        await this.#writer.write(transaction.map(({ write }) => write), () => this.#closed)
      }
      for (const { type, id, json } of authWrites) this.#cache.wrote(type, id, json)
      if (rows.length > 0) this.#hooks.journalled(rows)
    })
  }

  #authWrites(data: SignalDataSet): AuthWrite[] {
    const { tenantId } = this.#writer
    return Object.entries(data).flatMap(([type, entries]) => Object.entries(entries).flatMap(([id, value]): AuthWrite[] => {
      const key = authKey(tenantId, type, id)
      if (value === null) return [{ type, id, json: undefined, bytes: 100, write: { delete: key } }]
      if (isDivided(type)) {
        const json = encodeAny(value)
        return divided(key, json).map(put => ({ type, id, json, bytes: String(put['value']).length, write: { put } }))
      }
      const json = encodeValue(`a value of type ${type}`, value)
      return [{ type, id, json, bytes: Buffer.byteLength(json), write: { put: { ...key, value: json } } }]
    }))
  }

  #journalWrites(rows: readonly JournalRow[]): TypedWrite[] {
    return rows.map(row => ({
      type: JOURNAL,
      bytes: row.kind === 'message' ? (row.plaintext?.length ?? 0) + 1_000 : 1_000,
      write: { put: journalItem(this.#writer.tenantId, row) },
    }))
  }

  async *#read(sortKeys: readonly string[]): AsyncGenerator<Record<string, unknown>> {
    const { db, name } = this.#table
    const pk = authPartition(this.#writer.tenantId)
    const [first] = sortKeys
    if (sortKeys.length === 1 && first !== undefined) {
      const { Item } = await persist(this.#table, () => db.send(new GetCommand({ TableName: name, Key: { pk, sk: first }, ConsistentRead: true })))
      if (Item !== undefined) yield Item
      return
    }
    for (let at = 0; at < sortKeys.length; at += BATCH_GET_KEYS) {
      let keys: Record<string, unknown>[] = sortKeys.slice(at, at + BATCH_GET_KEYS).map(sk => ({ pk, sk }))
      while (keys.length > 0) {
        const asked = keys
        const answer = await persist(this.#table, () => db.send(new BatchGetCommand({
          RequestItems: { [name]: { Keys: asked, ConsistentRead: true } },
        })))
        yield* answer.Responses?.[name] ?? []
        keys = answer.UnprocessedKeys?.[name]?.Keys ?? []
      }
    }
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreClosedError()
    try {
      const result = await work()
      if (this.isClosed) throw new StoreClosedError()
      return result
    } catch (error) {
      // Failed reads too: Baileys takes them for "no session" and asks the sender to repeat.
      if (!(error instanceof StoreClosedError)) this.#hooks.failed(error)
      throw error
    }
  }
}
