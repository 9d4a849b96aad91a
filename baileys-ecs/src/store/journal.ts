import { DeleteCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { EventRow, JournalRow, MessageRow, Parked, StoredFile } from '../journal/row.js'
import { persist, type Table } from './dynamo.js'
import { journalPartition } from './keys.js'
import type { Item } from './writer.js'

export interface Page {
  readonly rows: readonly JournalRow[]
  /** Sort key to go on after; absent at the end of the journal. */
  readonly next?: string
}

/** Far beyond any outage; it bounds what a webhook that is gone for good leaves behind. */
const KEPT_SECONDS = 30 * 24 * 60 * 60
const PARKED_SECONDS = 90 * 24 * 60 * 60

export function journalItem(tenantId: string, row: JournalRow): Item {
  return { ...row, pk: journalPartition(tenantId), sk: row.sk, expiresAt: Math.floor(stampOf(row.sk) / 1000) + KEPT_SECONDS }
}

/** When a row was received, Unix milliseconds. */
const stampOf = (sk: string): number => Number(sk.slice(0, 15))

/** The inbox journal of one number: what was received and not yet acknowledged by the webhook. */
export class JournalStore {
  readonly #table: Table
  readonly #tenantId: string

  constructor(table: Table, tenantId: string) {
    this.#table = table
    this.#tenantId = tenantId
  }

  /** Rows after `after`, oldest first. A page ends at 1 MB even before `limit`. */
  async page(after: string, limit: number): Promise<Page> {
    const answer = await persist(this.#table, () => this.#table.db.send(new QueryCommand({
      TableName: this.#table.name,
      KeyConditionExpression: 'pk = :pk AND sk > :after',
      // DynamoDB refuses an empty key: a blank sorts before every digit.
      ExpressionAttributeValues: { ':pk': journalPartition(this.#tenantId), ':after': after === '' ? ' ' : after },
      ConsistentRead: true,
      Limit: limit,
    })))
    const rows = (answer.Items ?? []).map(fromItem)
    const last = answer.LastEvaluatedKey?.['sk'] as string | undefined
    return { rows, ...(last === undefined ? {} : { next: last }) }
  }

  /** What the business's own phone wrote and the webhook has not yet; envelopes only. */
  async *ownMessages(): AsyncGenerator<MessageRow> {
    let start: Record<string, unknown> | undefined
    do {
      const answer = await persist(this.#table, () => this.#table.db.send(new QueryCommand({
        TableName: this.#table.name,
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: 'kind = :message AND fromMe = :yes AND attribute_not_exists(parked)',
        ProjectionExpression: 'sk, lane, kind, receivedAt, attrs, fromMe, backlog',
        ExpressionAttributeValues: { ':pk': journalPartition(this.#tenantId), ':message': 'message', ':yes': true },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      })))
      yield* (answer.Items ?? []).map(item => item as unknown as MessageRow)
      start = answer.LastEvaluatedKey
    } while (start !== undefined)
  }

  /** The newest row's key, or `undefined` for an empty journal. */
  async newestKey(): Promise<string | undefined> {
    const { Items } = await persist(this.#table, () => this.#table.db.send(new QueryCommand({
      TableName: this.#table.name,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': journalPartition(this.#tenantId) },
      ProjectionExpression: 'sk', ScanIndexForward: false, Limit: 1, ConsistentRead: true,
    })))
    return Items?.[0]?.['sk'] as string | undefined
  }

  /** Needs no fence: the webhook has the event, whoever brought it. */
  async remove(sk: string): Promise<void> {
    await persist(this.#table, () => this.#table.db.send(new DeleteCommand({ TableName: this.#table.name, Key: this.#key(sk) })))
  }

  /** Marks a row that the webhook refuses; it stays until a person gives it back, or three months have passed. */
  async park(sk: string, parked: Parked): Promise<void> {
    await this.#change(sk, { parked, expiresAt: Math.floor(parked.at / 1000) + PARKED_SECONDS })
  }

  /** Notes what became of the message's file. */
  async noteFile(sk: string, media: StoredFile): Promise<void> {
    await this.#change(sk, { media })
  }

  /** Changes a row; one that is gone meanwhile stays so. Needs no fence: it is true whoever writes it. */
  async #change(sk: string, attributes: Readonly<Record<string, unknown>>): Promise<void> {
    const names = Object.keys(attributes)
    await persist(this.#table, () => this.#table.db.send(new UpdateCommand({
      TableName: this.#table.name, Key: this.#key(sk),
      ConditionExpression: 'attribute_exists(pk)',
      UpdateExpression: `SET ${names.map(name => `${name} = :${name}`).join(', ')}`,
      ExpressionAttributeValues: Object.fromEntries(names.map(name => [`:${name}`, attributes[name]])),
    }))).catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error
    })
  }

  #key(sk: string): { pk: string; sk: string } {
    return { pk: journalPartition(this.#tenantId), sk }
  }
}

function fromItem(item: Record<string, unknown>): JournalRow {
  return item['kind'] === 'message' ? item as unknown as MessageRow : item as unknown as EventRow
}
