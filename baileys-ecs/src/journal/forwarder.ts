import PQueue from 'p-queue'
import { backoffDelay, type Random } from '../concurrency/backoff.js'
import { sleep } from '../concurrency/sleep.js'
import type { Counters } from '../observability/counters.js'
import type { Logger } from '../observability/logger.js'
import type { JournalStore } from '../store/journal.js'
import { journalSortKey } from '../store/keys.js'
import type { Deliver, Delivery } from '../webhook/client.js'
import { Lanes } from './lanes.js'
import { eventOf } from './mapping.js'
import { correlationOf, lanesOf, type EventRow, type JournalRow, type MessageRow, type StoredFile } from './row.js'

export interface ForwarderOptions {
  readonly tenantId: string
  readonly journal: JournalStore
  readonly deliver: Deliver
  /** Whether a row says nothing new, for example the echo of what this gateway sent itself. */
  readonly isOwnEcho: (row: JournalRow) => Promise<boolean>
  /** Called once the webhook has a row, or will never take it. */
  readonly settled: (row: JournalRow) => void
  /** What becomes of the message's file, if it has one; `undefined` for one without, and when the process leaves. */
  readonly storeFile: (row: MessageRow, stop: AbortSignal) => Promise<StoredFile | undefined>
  readonly concurrency: number
  readonly random: Random
  readonly now: () => number
  readonly logger: Logger
  readonly counters: Counters
}

/** Rows held in memory. The rest waits in the table, where it is safe anyhow. */
const MAX_ROWS = 1_000
/** Texts and files' keys of strangers: 1,000 rows of the largest size would be 300 MB. */
const MAX_BYTES = 8_000_000
/** Attributes and what an object costs. */
const ROW_BYTES = 1_000
const CONTACT_BYTES = 120
const PAGE = 200
/** Between two looks at a part of the table, for rows that a person gave back (parked ones), or that somebody forgot. */
const RECHECK_MS = 60_000
const FAST = { baseMs: 200, capMs: 30_000, floorMs: 50 }
const SLOW = { baseMs: 30_000, capMs: 5 * 60_000, floorMs: 10_000 }

/**
 * Brings the journal to the webhook: each lane (a chat, by each of its names) strictly in order, chats in parallel, each row until its 2xx.
 *
 * It starts from the table, and live rows join without a detour. When too many wait it stops holding live ones and
 * reads the table in pages again, so its memory is bounded however long the webhook is away.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #lanes = new Lanes<JournalRow>()
  readonly #known = new Set<string>()
  #bytes = 0
  readonly #posts: PQueue
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<void>>()
  /** Rows up to this key were read from the table or came live. */
  #cursor = ''
  /** Up to where the table was looked through again; empty: it begins with the oldest. */
  #rechecked = ''
  /** Everything after the cursor comes live. */
  #live = false
  /** Live rows that came while a page was being read. */
  #duringRead: JournalRow[] | undefined

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#posts = new PQueue({ concurrency: options.concurrency })
  }

  /** Rows known to wait; more may wait in the table. */
  get backlog(): number {
    return this.#known.size
  }

  /** Bytes of content among them. */
  get heldBytes(): number {
    return this.#bytes
  }

  get #hasRoom(): boolean {
    return this.#known.size < MAX_ROWS && this.#bytes < MAX_BYTES
  }

  start(): void {
    this.#track(this.#readJournal())
    this.#track(this.#recheckAlways())
  }

  /** Takes a row that has just been committed. */
  offer(row: JournalRow): void {
    if (this.#stop.signal.aborted) return
    if (this.#duringRead !== undefined) {
      this.#duringRead.push(row)
    } else if (row.sk <= this.#cursor) {
      this.#add(row)
    } else if (this.#live && this.#hasRoom) {
      this.#cursor = row.sk
      this.#add(row)
    } else {
      this.#live = false // beyond the cursor: the next page brings it
    }
  }

  /**
   * Takes up what is in the table and not in hand, a part at each call: parked rows stay for months, and those that
   * fill the oldest part must not hide one behind them. A row that was just delivered comes twice at worst.
   */
  async recheck(): Promise<void> {
    const { journal, now } = this.#options
    const cursor = this.#cursor
    const { rows, next } = await journal.page(this.#rechecked, MAX_ROWS)
    const settled = journalSortKey(Math.max(0, now() - RECHECK_MS), '')
    for (const row of rows) {
      if (row.sk > cursor || row.sk >= settled || this.#stop.signal.aborted) break
      if (!this.#hasRoom) return // the same part once more
      this.#add(row)
    }
    this.#rechecked = next !== undefined && next <= cursor ? next : ''
  }

  async #recheckAlways(): Promise<void> {
    for (;;) {
      await sleep(RECHECK_MS, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        await this.recheck()
      } catch (error) {
        this.#options.logger.error({ err: error }, 'the journal cannot be read; trying again')
      }
    }
  }

  /** Starts no new delivery and waits for those under way. What is left stays in the journal. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  async #readJournal(): Promise<void> {
    const { journal, logger } = this.#options
    for (let attempt = 0; !this.#stop.signal.aborted && !this.#live && this.#hasRoom;) {
      this.#duringRead = []
      try {
        const { rows, next } = await journal.page(this.#cursor, PAGE)
        for (const row of rows) this.#add(row)
        this.#cursor = next ?? rows.at(-1)?.sk ?? this.#cursor
        this.#live = next === undefined
        attempt = 0
      } catch (error) {
        logger.error({ err: error }, 'the journal cannot be read; trying again')
        await sleep(backoffDelay(FAST, attempt++, this.#options.random), this.#stop.signal)
      } finally {
        const came = this.#duringRead
        this.#duringRead = undefined
        for (const row of came) this.offer(row)
      }
    }
    this.#reading = false
  }

  #reading = true

  /** Called as rows leave: reads on when memory has room and the table may hold more. */
  #readOn(): void {
    if (this.#live || this.#reading || this.#known.size > MAX_ROWS / 2 || this.#bytes > MAX_BYTES / 2 || this.#stop.signal.aborted) return
    this.#reading = true
    this.#track(this.#readJournal())
  }

  #add(row: JournalRow): void {
    if (row.parked !== undefined || this.#known.has(row.sk)) return
    this.#known.add(row.sk)
    this.#bytes += bytesOf(row)
    if (this.#lanes.add(row, lanesOf(row))) this.#track(this.#settle(row))
  }

  /** Done with one row, those that waited for it alone begin. */
  async #settle(row: JournalRow): Promise<void> {
    if (this.#stop.signal.aborted || !await this.#forward(row)) return
    const next = this.#lanes.done(row, lanesOf(row))
    this.#known.delete(row.sk)
    this.#bytes -= bytesOf(row)
    this.#readOn()
    for (const each of next) this.#track(this.#settle(each))
  }

  /** Repeats until the row is done with; false when stopped before that. */
  async #forward(journalled: JournalRow): Promise<boolean> {
    const { random, logger, counters } = this.#options
    let row = journalled
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        row = await this.#withFile(row)
        const current = row
        const delivery = await this.#posts.add(() => this.#deliver(current))
        if (delivery === undefined) return false
        if (delivery.kind !== 'failed') this.#options.settled(row)
        if (delivery.kind === 'accepted') {
          await this.#options.journal.remove(row.sk)
          return true
        }
        if (delivery.kind === 'refused') {
          await this.#park(row, delivery.status, delivery.reason)
          return true
        }
        counters.add('deliveriesFailed')
        logger.warn({ correlationId: correlationOf(row), attempt, reason: delivery.reason, err: delivery.error }, 'the webhook did not take an event; it will be repeated')
        await sleep(backoffDelay(delivery.slow ? SLOW : FAST, attempt, random), this.#stop.signal)
      } catch (error) {
        // Not deleted means forwarded once more, which the webhook recognises.
        logger.error({ correlationId: correlationOf(row), err: error }, 'a journal row cannot be settled; it will be repeated')
        await sleep(backoffDelay(FAST, attempt, random), this.#stop.signal)
      }
    }
    return false
  }

  /** The row with its file's place, which is noted down: after a restart the file is not fetched again. */
  async #withFile(row: JournalRow): Promise<JournalRow> {
    const { storeFile, journal, logger } = this.#options
    if (row.kind === 'event' || row.media !== undefined) return row
    const media = await storeFile(row, this.#stop.signal)
    if (media === undefined) return row
    try {
      await journal.noteFile(row.sk, media)
    } catch (error) {
      logger.warn({ correlationId: correlationOf(row), err: error }, 'a file\'s place could not be noted; after a restart it is fetched again')
    }
    return { ...row, media }
  }

  async #deliver(row: JournalRow): Promise<Delivery | undefined> {
    if (this.#stop.signal.aborted) return undefined
    const { tenantId, logger, deliver, isOwnEcho, now, counters } = this.#options
    if (await isOwnEcho(row)) return { kind: 'accepted' }
    const event = eventOf(tenantId, row)
    const started = now()
    const delivery = await deliver(event)
    if (delivery.kind === 'accepted') {
      counters.add('eventsForwarded')
      logger.info({ type: event.type, correlationId: event.correlationId, duration: now() - started }, 'event forwarded')
    }
    return delivery
  }

  async #park(row: JournalRow, status: number, reason: string): Promise<void> {
    const { journal, logger, counters, now } = this.#options
    await journal.park(row.sk, { at: now(), status, reason })
    counters.add('eventsParked')
    logger.error({ correlationId: correlationOf(row), sk: row.sk, status, reason }, 'the webhook refuses an event for good; it is parked in the journal')
  }

  #track(work: Promise<void>): void {
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }
}

const bytesOf = (row: JournalRow): number => ROW_BYTES + (row.kind === 'message' ? row.plaintext?.length ?? 0 : contactsIn(row) * CONTACT_BYTES)

const contactsIn = ({ event }: EventRow): number => event.type === 'contacts.updated' ? event.contacts.length : 0
