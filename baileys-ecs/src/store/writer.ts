import { randomUUID } from 'node:crypto'
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb'
import { SerialQueue } from '../concurrency/serial-queue.js'
import { cancellationReasons, persist, type Table } from './dynamo.js'
import { FencedError, StoreClosedError, TransactionTooLargeError } from './errors.js'
import { sessionKey, type Key } from './keys.js'

export type Item = Key & Readonly<Record<string, unknown>>
export type Write = { readonly put: Item } | { readonly delete: Key }

/** Items of one transaction beside its fence. */
export const MAX_WRITES = 99

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number]

/**
 * Every write for one number, in order, each under the fencing token (rule 6: one owner of a session in the world).
 *
 * One at a time, because concurrent checks of one session row cancel each other with TransactionConflict.
 */
export class FencedWriter {
  readonly #table: Table
  readonly #queue = new SerialQueue()

  constructor(table: Table, readonly tenantId: string, readonly token: number) {
    this.#table = table
  }

  /**
   * Stores all of `writes`, or nothing.
   *
   * @param cancelled asked when the write's turn comes: true refuses it
   * @throws {FencedError} another token is in force
   * @throws {StoreUnavailableError} the database did not take it in time
   * @throws {StoreClosedError} `cancelled` said so
   */
  async write(writes: readonly Write[], cancelled: () => boolean = () => false): Promise<void> {
    if (writes.length > MAX_WRITES) throw new TransactionTooLargeError(writes.length)
    const fence: TransactItem = {
      ConditionCheck: {
        TableName: this.#table.name,
        Key: sessionKey(this.tenantId),
        ConditionExpression: 'ownerToken = :token',
        ExpressionAttributeValues: { ':token': this.token },
      },
    }
    await this.#transact([fence, ...writes.map(write => this.#item(write))], cancelled)
  }

  /**
   * The same for attributes of the session row itself, which cannot be both checked and written in one transaction.
   *
   * @param attributes `undefined` removes one; at least one is set
   */
  async writeSession(attributes: Readonly<Record<string, unknown>>, writes: readonly Write[]): Promise<void> {
    const names = Object.keys(attributes)
    const kept = names.flatMap((name, i) => attributes[name] === undefined ? [] : [i])
    const gone = names.flatMap((name, i) => attributes[name] === undefined ? [`#a${i}`] : [])
    const update: TransactItem = {
      Update: {
        TableName: this.#table.name,
        Key: sessionKey(this.tenantId),
        ConditionExpression: 'ownerToken = :token',
        UpdateExpression: `SET ${kept.map(i => `#a${i} = :a${i}`).join(', ')}${gone.length === 0 ? '' : ` REMOVE ${gone.join(', ')}`}`,
        ExpressionAttributeNames: Object.fromEntries(names.map((name, i) => [`#a${i}`, name])),
        ExpressionAttributeValues: {
          ':token': this.token,
          ...Object.fromEntries(kept.map(i => [`:a${i}`, attributes[names[i] ?? '']])),
        },
      },
    }
    await this.#transact([update, ...writes.map(write => this.#item(write))], () => false)
  }

  /** Resolves when every write so far has ended. */
  async idle(): Promise<void> {
    await this.#queue.idle()
  }

  #item(write: Write): TransactItem {
    const TableName = this.#table.name
    return 'put' in write ? { Put: { TableName, Item: write.put } } : { Delete: { TableName, Key: write.delete } }
  }

  async #transact(items: TransactItem[], cancelled: () => boolean): Promise<void> {
    // The same token at each attempt: a repeat of a transaction whose answer was lost changes nothing.
    const command = new TransactWriteCommand({ TransactItems: items, ClientRequestToken: randomUUID() })
    await this.#queue.run(async () => {
      if (cancelled()) throw new StoreClosedError()
      try {
        await persist(this.#table, () => this.#table.db.send(command))
      } catch (error) {
        if (cancellationReasons(error)?.[0] === 'ConditionalCheckFailed') throw new FencedError(this.tenantId, this.token)
        throw error
      }
    })
  }
}
