import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import { persist, type Table } from './dynamo.js'
import { journalPartition } from './keys.js'

/** What waits in one number's journal. */
export interface JournalSurvey {
  /** Rows that the webhook has not taken yet; at most `SURVEYED_WAITING`, there may be more. */
  readonly depth: number
  /** When the oldest of them came, Unix milliseconds. */
  readonly oldestAt: number | undefined
  /** Rows that the webhook refuses for good. */
  readonly parked: number
}

export const SURVEYED_WAITING = 1_000
/** Of at most 1 MB each. Parked rows are the oldest: a page full of them says nothing of what waits behind. */
export const SURVEYED_PAGES = 10

/** Looks at the table and not at the forwarder's memory: a forwarder that hangs must show, too. */
export async function surveyJournal(table: Table, tenantId: string): Promise<JournalSurvey> {
  let depth = 0
  let parked = 0
  let oldest: string | undefined
  let start: Record<string, unknown> | undefined
  for (let page = 0; page < SURVEYED_PAGES && depth < SURVEYED_WAITING; page++) {
    const answer = await persist(table, () => table.db.send(new QueryCommand({
      TableName: table.name,
      KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': journalPartition(tenantId) },
      ProjectionExpression: 'sk, parked.#at', ExpressionAttributeNames: { '#at': 'at' },
      Limit: SURVEYED_WAITING, ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    })))
    const waiting = (answer.Items ?? []).filter(item => item['parked'] === undefined)
    oldest ??= waiting[0]?.['sk'] as string | undefined
    depth += waiting.length
    parked += (answer.Items?.length ?? 0) - waiting.length
    start = answer.LastEvaluatedKey
    if (start === undefined) break
  }
  return {
    depth: Math.min(depth, SURVEYED_WAITING),
    oldestAt: oldest === undefined ? undefined : Number(oldest.slice(0, 15)),
    parked,
  }
}
