import { randomUUID } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { SessionRecord } from '@kesher/contracts'
import { documentClient, persist } from '../../src/store/dynamo.js'

/** A busy machine may keep an emulator from answering for a while. */
const PATIENTLY = { retryMs: 60_000, random: Math.random }

/** For `SESSION_INDEX`: who wants the table as it is deployed names it. */
export const SESSION_INDEX = 'sessions'

/** A gateway table of its own for each test, and what Python would write into it. */
export interface TestTable {
  readonly name: string
  readonly db: DynamoDBDocumentClient
  desire: (tenantId: string, change: Partial<SessionRecord>) => Promise<void>
  record: (tenantId: string) => Promise<Record<string, unknown> | undefined>
  rows: (pk: string) => Promise<Record<string, unknown>[]>
  remove: (row: Readonly<Record<string, unknown>>) => Promise<void>
}

export async function createTable(endpoint: string): Promise<TestTable> {
  const name = `gateway-${randomUUID()}`
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint, requestHandler: { requestTimeout: PATIENTLY.retryMs } })
  const db = documentClient(client)
  await client.send(new CreateTableCommand({
    TableName: name, BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    AttributeDefinitions: ['pk', 'sk', 'desired'].map(AttributeName => ({ AttributeName, AttributeType: 'S' as const })),
    GlobalSecondaryIndexes: [{
      IndexName: SESSION_INDEX, Projection: { ProjectionType: 'ALL' },
      KeySchema: [{ AttributeName: 'desired', KeyType: 'HASH' }, { AttributeName: 'pk', KeyType: 'RANGE' }],
    }],
  }))
  const ask = <T>(call: () => Promise<T>): Promise<T> => persist(PATIENTLY, call)
  const Key = (tenantId: string): { pk: string; sk: string } => ({ pk: `SESSION#${tenantId}`, sk: 'SESSION' })
  const table: TestTable = {
    name, db,
    desire: async (tenantId, change) => {
      if (await table.record(tenantId) === undefined) {
        await ask(() => db.send(new PutCommand({ TableName: name, Item: { ...Key(tenantId), tenantId, desired: 'linked' } })))
      }
      for (const [attribute, value] of Object.entries(change)) {
        await ask(() => db.send(new UpdateCommand({
          TableName: name, Key: Key(tenantId), UpdateExpression: 'SET #a = :v',
          ExpressionAttributeNames: { '#a': attribute }, ExpressionAttributeValues: { ':v': value },
        })))
      }
    },
    record: async tenantId => (await ask(() => db.send(new GetCommand({ TableName: name, Key: Key(tenantId), ConsistentRead: true })))).Item,
    rows: async pk => {
      const { Items = [] } = await ask(() => db.send(new QueryCommand({
        TableName: name, ConsistentRead: true, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': pk },
      })))
      return Items
    },
    remove: async ({ pk, sk }) => { await db.send(new DeleteCommand({ TableName: name, Key: { pk, sk } })) },
  }
  return table
}
