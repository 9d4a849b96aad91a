import { GetCommand } from '@aws-sdk/lib-dynamodb'
import { persist, type Table } from './dynamo.js'
import { CLIENT_VERSION_KEY } from './keys.js'

/** Settings that change without a deployment: rows of the gateway table. */
export class LiveSettings {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  /** `value` of the row `SETTINGS`, `CLIENT_VERSION`, if there is one. */
  async clientVersion(): Promise<string | undefined> {
    const { Item } = await persist(this.#table, () => this.#table.db.send(new GetCommand({
      TableName: this.#table.name, Key: CLIENT_VERSION_KEY, ConsistentRead: true,
    })))
    const value: unknown = Item?.['value']
    return value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value)
  }
}
