import { randomUUID } from 'node:crypto'
import { GetCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { SessionRecord } from '@kesher/contracts'
import { persist, type Table } from './dynamo.js'
import { sessionKey } from './keys.js'

/** Who claims: its id in the containers' rows, and the address by which the send function reaches it. */
export interface Claimant {
  readonly id: string
  readonly url: string
}

/** The session row with what only the gateway reads of it. */
export interface StoredSession extends SessionRecord {
  /** The container that holds the session; absent while it is free. */
  readonly ownerId?: string
  /** Tells the claim of this process from another one that took the same token number. */
  readonly claimId?: string
}

export class SessionRecords {
  readonly #table: Table
  readonly #index: string | undefined

  constructor(table: Table, index: string | undefined) {
    this.#table = table
    this.#index = index
  }

  /** All session rows. From the index they may be a moment old: a claim checks again. */
  async list(): Promise<StoredSession[]> {
    const found: StoredSession[] = []
    let start: Record<string, unknown> | undefined
    do {
      const answer = await persist(this.#table, () => this.#table.db.send(new ScanCommand({
        TableName: this.#table.name,
        ...(this.#index === undefined ? {} : { IndexName: this.#index }),
        FilterExpression: 'sk = :session', ExpressionAttributeValues: { ':session': 'SESSION' },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      })))
      found.push(...(answer.Items ?? []).map(item => item as unknown as StoredSession))
      start = answer.LastEvaluatedKey
    } while (start !== undefined)
    return found
  }

  async get(tenantId: string): Promise<StoredSession | undefined> {
    const { Item } = await persist(this.#table, () => this.#table.db.send(new GetCommand({
      TableName: this.#table.name, Key: sessionKey(tenantId), ConsistentRead: true,
    })))
    return Item as StoredSession | undefined
  }

  /**
   * Makes this process the owner: raises the fencing token, on which every later write depends.
   *
   * @returns the row as claimed, or `undefined` if it changed meanwhile (look again at the next poll)
   */
  async claim(seen: StoredSession, { id, url }: Claimant, now: number): Promise<StoredSession | undefined> {
    const token = (seen.ownerToken ?? 0) + 1
    const claimId = randomUUID()
    const unchanged = [
      'desired = :desired',
      seen.ownerToken === undefined ? 'attribute_not_exists(ownerToken)' : 'ownerToken = :seen',
      // A release keeps the token: what was given away since must not be taken back.
      seen.ownerId === undefined ? 'attribute_not_exists(ownerId)' : 'ownerId = :seenOwner',
    ].join(' AND ')
    try {
      const { Attributes } = await persist(this.#table, () => this.#table.db.send(new UpdateCommand({
        TableName: this.#table.name,
        Key: sessionKey(seen.tenantId),
        ConditionExpression: unchanged,
        UpdateExpression: 'SET ownerToken = :token, ownerUrl = :url, ownerId = :owner, claimId = :claim, updatedAt = :now',
        ExpressionAttributeValues: {
          ':desired': seen.desired, ':owner': id, ':token': token, ':url': url, ':claim': claimId, ':now': now,
          ...(seen.ownerToken === undefined ? {} : { ':seen': seen.ownerToken }),
          ...(seen.ownerId === undefined ? {} : { ':seenOwner': seen.ownerId }),
        },
        ReturnValues: 'ALL_NEW',
      })))
      return Attributes as unknown as StoredSession
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error
      // A repeat of an update whose answer was lost fails its own condition.
      const current = await this.get(seen.tenantId)
      return current?.claimId === claimId ? current : undefined
    }
  }

  /** Lets go of a session, so that another container takes it at once. The token stays: the next claim raises it. */
  async release(tenantId: string, token: number): Promise<void> {
    await persist(this.#table, () => this.#table.db.send(new UpdateCommand({
      TableName: this.#table.name,
      Key: sessionKey(tenantId),
      ConditionExpression: 'ownerToken = :token',
      UpdateExpression: 'REMOVE ownerUrl, ownerId',
      ExpressionAttributeValues: { ':token': token },
    }))).catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error // somebody has it already
    })
  }
}
