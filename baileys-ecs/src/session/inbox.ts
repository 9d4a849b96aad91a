import { Forwarder } from '../journal/forwarder.js'
import { JournalClock, type JournalRow } from '../journal/row.js'
import { fileKeeper } from '../media/keeper.js'
import type { Logger } from '../observability/logger.js'
import type { OwnWrites } from '../sending/own-writes.js'
import { journalItem, JournalStore } from '../store/journal.js'
import type { SentLog } from '../store/sent-log.js'
import type { FencedWriter } from '../store/writer.js'
import type { Connection } from './connection.js'
import type { SessionDependencies } from './dependencies.js'

export interface InboxOptions extends Pick<SessionDependencies, 'table' | 'deliver' | 'shelf' | 'settings' | 'random' | 'now' | 'counters'> {
  readonly tenantId: string
  readonly writer: FencedWriter
  readonly sent: SentLog
  readonly ownWrites: OwnWrites
  /** The open connection, or the next one; `undefined` when the signal is raised before. */
  readonly connection: (signal: AbortSignal) => Promise<Connection | undefined>
  readonly logger: Logger
}

/** One number's inbox: what is told to the webhook stands in the journal first, and goes from there, with or without a socket. */
export class Inbox {
  readonly clock: JournalClock
  readonly #options: InboxOptions
  readonly #journal: JournalStore
  readonly #forwarder: Forwarder

  constructor(options: InboxOptions) {
    const { tenantId, table, deliver, shelf, settings, random, now, counters, logger, ownWrites, connection } = options
    this.#options = options
    this.clock = new JournalClock(now)
    this.#journal = new JournalStore(table, tenantId)
    const isOwnEcho = (row: JournalRow): Promise<boolean> => this.#isOwnEcho(row)
    this.#forwarder = new Forwarder({
      tenantId, journal: this.#journal, deliver, isOwnEcho,
      settled: row => { ownWrites.forwarded(row) },
      storeFile: fileKeeper({ tenantId, shelf, isOwnEcho, connection }),
      concurrency: settings.webhookConcurrency, random, now, logger, counters,
    })
  }

  /** Reads where the journal stands and begins to forward it. */
  async open(): Promise<void> {
    const [newest] = await Promise.all([this.#journal.newestKey(), this.#readOwnWrites()])
    if (newest !== undefined) this.clock.continueAfter(newest)
    this.#forwarder.start()
  }

  async #readOwnWrites(): Promise<void> {
    for await (const row of this.#journal.ownMessages()) this.#options.ownWrites.journalled(row)
  }

  /** Starts no new delivery and waits for those under way. What is left stays in the journal. */
  async close(): Promise<void> {
    await this.#forwarder.stop()
  }

  /** Stores rows, in one transaction, and forwards them. */
  async append(rows: readonly JournalRow[]): Promise<void> {
    const { writer, tenantId } = this.#options
    await writer.write(rows.map(row => ({ put: journalItem(tenantId, row) })))
    this.journalled(rows)
  }

  /** Forwards rows that a transaction of somebody else has stored. */
  journalled(rows: readonly JournalRow[]): void {
    const { ownWrites, counters, logger } = this.#options
    for (const row of rows) {
      ownWrites.journalled(row)
      this.#forwarder.offer(row)
      if (row.kind !== 'message') continue
      counters.add('messagesJournalled')
      logger.info({ correlationId: row.attrs['id'], fromMe: row.fromMe, backlog: row.backlog }, '[WA-INCOMING] message journalled')
    }
  }

  /** An owner before us may have forwarded what we read from the journal, or a person removed it. */
  async recheckOwnWrites(): Promise<void> {
    const { ownWrites, logger } = this.#options
    const awaited = ownWrites.awaited
    if (awaited.length === 0) return
    try {
      const waiting = new Set<string | undefined>()
      for await (const { attrs } of this.#journal.ownMessages()) waiting.add(attrs['id'])
      for (const id of awaited) if (!waiting.has(id)) ownWrites.settled(id)
    } catch (error) {
      logger.warn({ err: error }, 'the journal cannot be read; the assistant keeps silent where the phone wrote')
    }
  }

  async #isOwnEcho(row: JournalRow): Promise<boolean> {
    return row.kind === 'message' && row.fromMe && await this.#options.sent.get(row.attrs['id'] ?? '') !== undefined
  }
}
