import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { LRUCache } from 'lru-cache'
import { persist, type Table } from './dynamo.js'
import { sentKey } from './keys.js'
import type { FencedWriter, Write } from './writer.js'

/** What this number sent. It answers "was this id acknowledged?", "is this echo ours?" and retry receipts. */
export interface SentMessage {
  readonly messageId: string
  readonly chatJid: string
  readonly correlationId: string
  /** The encoded `proto.Message`: a repeat of an id carries the same bytes. */
  readonly content: Uint8Array
  readonly createdAt: number
  readonly acknowledgedAt?: number
  /** The `error` of WhatsApp's acknowledgement, if it was one that must never be repeated. */
  readonly refusedCode?: string
}

/** Receipts come for the messages of the last hours; the others are asked of the table. 200 numbers stay under 200 MB. */
const RECENT = { max: 500, maxSize: 1_000_000 }
const KEPT_SECONDS = 24 * 60 * 60

export class SentLog {
  readonly #table: Table
  readonly #writer: FencedWriter
  readonly #recent = new LRUCache<string, SentMessage>({
    ...RECENT, sizeCalculation: ({ content }) => content.length + 500,
  })

  constructor(table: Table, writer: FencedWriter) {
    this.#table = table
    this.#writer = writer
  }

  async get(messageId: string): Promise<SentMessage | undefined> {
    const known = this.#recent.get(messageId)
    if (known !== undefined) return known
    const { Item } = await persist(this.#table, () => this.#table.db.send(new GetCommand({
      TableName: this.#table.name, Key: sentKey(this.#writer.tenantId, messageId), ConsistentRead: true,
    })))
    if (Item === undefined) return undefined
    const message = Item as SentMessage
    this.#remember(message)
    return message
  }

  /** Whether this process sent it, as far as it still has it in memory. */
  isRecent(messageId: string): boolean {
    return this.#recent.has(messageId)
  }

  /** Written before anything reaches the wire, under the fencing token, together with `more`. */
  async record(message: SentMessage, more: readonly Write[] = []): Promise<void> {
    const expiresAt = Math.floor(message.createdAt / 1000) + KEPT_SECONDS
    await this.#writer.write([{ put: { ...sentKey(this.#writer.tenantId, message.messageId), ...message, expiresAt } }, ...more])
    this.#remember(message)
  }

  /** Its bytes are copied: encoded, they are a piece of a pool of 8 KB (`Buffer.poolSize`), and would keep all of it. */
  #remember(message: SentMessage): void {
    this.#recent.set(message.messageId, { ...message, content: new Uint8Array(message.content) })
  }

  /** Facts about a message that we sent. True whoever writes them, so they need no fence; the first one stays. */
  async note(messageId: string, fact: Pick<SentMessage, 'acknowledgedAt'> | Pick<SentMessage, 'refusedCode'>): Promise<void> {
    const known = this.#recent.get(messageId)
    if (known !== undefined) this.#recent.set(messageId, { ...fact, ...known })
    const [name, value] = Object.entries(fact)[0] as [string, string | number]
    await persist(this.#table, () => this.#table.db.send(new UpdateCommand({
      TableName: this.#table.name, Key: sentKey(this.#writer.tenantId, messageId),
      UpdateExpression: 'SET #name = if_not_exists(#name, :value)',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#name': name }, ExpressionAttributeValues: { ':value': value },
    }))).catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error // expired: nobody will ask
    })
  }
}
