import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import { persist, type Table } from './dynamo.js'
import { journalPartition } from './keys.js'

/** What waits in one number's journal. */
export interface JournalSurvey {
  /** Rows that the webhook has not taken yet; at most `SURVEYED_ROWS`, there may be more. */
  readonly depth: number
  /** When the oldest of them came, Unix milliseconds. */
  readonly oldestAt: number | undefined
  /** Rows that the webhook refuses for good. */
  readonly parked: number
}

export const SURVEYED_ROWS = 1_000

/** Looks at the table and not at the forwarder's memory: a forwarder that hangs must show, too. */
export async function surveyJournal(table: Table, tenantId: string): Promise<JournalSurvey> {
  const { Items = [] } = await persist(table, () => table.db.send(new QueryCommand({
    TableName: table.name,
    KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': journalPartition(tenantId) },
    ProjectionExpression: 'sk, parked.#at', ExpressionAttributeNames: { '#at': 'at' }, Limit: SURVEYED_ROWS,
  })))
  const waiting = Items.filter(({ parked }) => parked === undefined)
  const oldest = waiting[0]?.['sk'] as string | undefined
  return {
    depth: waiting.length,
    oldestAt: oldest === undefined ? undefined : Number(oldest.slice(0, 15)),
    parked: Items.length - waiting.length,
  }
}
