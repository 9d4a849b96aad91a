import { GetCommand } from '@aws-sdk/lib-dynamodb'
import type { EventRow } from '../journal/row.js'
import { persist, type Table } from './dynamo.js'
import { journalItem } from './journal.js'
import { authKey, type Key } from './keys.js'
import { MAX_WRITES, type FencedWriter } from './writer.js'

/** How far the phone's address book is read. */
export interface BookCursor {
  /** When this book was begun, Unix milliseconds. */
  readonly bookAt: number
  /** WhatsApp's number of the last change that was read. */
  readonly version: number
  /** It is too large to be told, and so are its changes, until it is read anew. */
  readonly untold?: true
}

/** 200 contacts have 25 KB and a transaction ends at 4 MB; the cursor goes with the last ones. */
const ROWS_AT_ONCE = Math.min(MAX_WRITES - 1, 80)

/** The place up to which a number's address book is read and journalled. It lies with the auth state, and is archived with it. */
export class AddressBookStore {
  readonly #table: Table
  readonly #writer: FencedWriter
  readonly #key: Key

  constructor(table: Table, writer: FencedWriter) {
    this.#table = table
    this.#writer = writer
    this.#key = authKey(writer.tenantId, 'address-book', 'contacts')
  }

  async cursor(): Promise<BookCursor | undefined> {
    const { Item } = await persist(this.#table, () => this.#table.db.send(new GetCommand({ TableName: this.#table.name, Key: this.#key, ConsistentRead: true })))
    return Item === undefined ? undefined : JSON.parse(String(Item['value'])) as BookCursor
  }

  /**
   * Stores rows, and with the last of them that the book is read up to `cursor`. Nearly always one transaction. Of a large book the
   * first rows may be there alone after a crash: it is read again then, from where the cursor stood.
   *
   * @param cancelled asked before each transaction: true refuses it
   */
  async advance(cursor: BookCursor, rows: readonly EventRow[], cancelled: () => boolean): Promise<void> {
    const { tenantId } = this.#writer
    const puts = rows.map(row => ({ put: journalItem(tenantId, row) }))
    const early = Math.floor(Math.max(0, puts.length - 1) / ROWS_AT_ONCE) * ROWS_AT_ONCE
    for (let at = 0; at < early; at += ROWS_AT_ONCE) await this.#writer.write(puts.slice(at, at + ROWS_AT_ONCE), cancelled)
    await this.#writer.write([...puts.slice(early), { put: { ...this.#key, value: JSON.stringify(cursor) } }], cancelled)
  }
}
