import { DeleteCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { Container } from '../lease/observer.js'
import { persist, type Table } from './dynamo.js'
import { CONTAINERS, containerKey } from './keys.js'

/** One row for each container that takes part. */
export class ContainerRecords {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  /**
   * One sign of life, which also says where the container is and how much it takes.
   *
   * Not repeated here: whoever beats must know when the attempt began that succeeded.
   */
  async beat({ id, url, capacity, draining }: Omit<Container, 'beat'>, signal: AbortSignal): Promise<void> {
    await this.#table.db.send(new UpdateCommand({
      TableName: this.#table.name,
      Key: containerKey(id),
      UpdateExpression: 'SET id = :id, #url = :url, #capacity = :capacity, draining = :draining ADD beat :one',
      ExpressionAttributeNames: { '#url': 'url', '#capacity': 'capacity' },
      ExpressionAttributeValues: { ':id': id, ':url': url, ':capacity': capacity, ':draining': draining, ':one': 1 },
    }), { abortSignal: signal })
  }

  /** All rows, strongly consistent. */
  async list(): Promise<Container[]> {
    const found: Container[] = []
    let start: Record<string, unknown> | undefined
    do {
      const answer = await persist(this.#table, () => this.#table.db.send(new QueryCommand({
        TableName: this.#table.name, ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': CONTAINERS },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      })))
      found.push(...(answer.Items ?? []).map(item => item as unknown as Container))
      start = answer.LastEvaluatedKey
    } while (start !== undefined)
    return found
  }

  /** @param beat remove it only if the counter still stands there */
  async remove(id: string, beat?: number): Promise<void> {
    await persist(this.#table, () => this.#table.db.send(new DeleteCommand({
      TableName: this.#table.name, Key: containerKey(id),
      ...(beat === undefined ? {} : { ConditionExpression: 'beat = :beat', ExpressionAttributeValues: { ':beat': beat } }),
    }))).catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error // it lives
    })
  }
}
