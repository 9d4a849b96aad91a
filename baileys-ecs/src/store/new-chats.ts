import { GetCommand } from '@aws-sdk/lib-dynamodb'
import { persist, type Table } from './dynamo.js'
import { newChatsKey } from './keys.js'
import type { Write } from './writer.js'

const KEPT_SECONDS = 24 * 60 * 60

/** When one number began new chats within the last day: one small row, so that a restart does not begin the day afresh. */
export class NewChatLog {
  readonly #table: Table
  readonly #tenantId: string

  constructor(table: Table, tenantId: string) {
    this.#table = table
    this.#tenantId = tenantId
  }

  /** Unix milliseconds, oldest first. */
  async read(): Promise<readonly number[]> {
    const { Item } = await persist(this.#table, () => this.#table.db.send(new GetCommand({
      TableName: this.#table.name, Key: newChatsKey(this.#tenantId), ConsistentRead: true,
    })))
    return (Item?.['times'] as readonly number[] | undefined) ?? []
  }

  /** The row with these times, to be written under the fencing token. */
  write(times: readonly number[], now: number): Write {
    return { put: { ...newChatsKey(this.#tenantId), times, expiresAt: Math.floor(now / 1000) + KEPT_SECONDS } }
  }
}
