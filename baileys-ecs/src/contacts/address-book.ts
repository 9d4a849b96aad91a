import { isMissingKeyError, type BinaryNode } from '@whiskeysockets/baileys'
import type { Contact, ContactsUpdated } from '@kesher/contracts'
import { backoffDelay, type Random } from '../concurrency/backoff.js'
import { sleep } from '../concurrency/sleep.js'
import { contactsRow, type EventRow, type JournalClock } from '../journal/row.js'
import type { Logger } from '../observability/logger.js'
import type { BookCursor } from '../store/address-book.js'
import { CollectionRefusedError, CollectionUnreadableError, question, readAnswer, type KeyOf } from './collection.js'
import { contactIn } from './mutation.js'

export interface AddressBookOptions {
  readonly tenantId: string
  /** Asks WhatsApp's server. */
  readonly query: (question: BinaryNode) => Promise<BinaryNode>
  readonly newId: () => string
  readonly keyOf: KeyOf
  readonly cursor: () => Promise<BookCursor | undefined>
  /** Stores the events together with how far the book is read then, and hands them to the forwarder. */
  readonly advance: (cursor: BookCursor, rows: readonly EventRow[]) => Promise<void>
  /** Ends the socket, because something could not be stored; the next one reads on. */
  readonly failed: (error: unknown) => void
  readonly clock: JournalClock
  readonly now: () => number
  readonly random: Random
  readonly logger: Logger
}

/** `MAX_CONTACTS` of the contract. */
const CONTACTS_AN_EVENT = 200
/** Baileys' own record of them is one transaction, of 4 MB; and of the forwarder's memory they take a third at worst. */
const MOST_CONTACTS = 25_000
const AGAIN = { baseMs: 10_000, capMs: 10 * 60_000, floorMs: 2_000 }

interface News {
  readonly cursor: BookCursor
  readonly contacts: readonly Contact[]
  readonly whole: boolean
}

/**
 * Follows the phone's address book: reads on from a place of its own in the list of changes that WhatsApp keeps.
 *
 * Not from Baileys' events, which come after Baileys has stored that it is past the change, do not tell a removal from an
 * addition, and never come for a number that was linked before anybody listened (ADR 0022).
 */
export class AddressBook {
  readonly #options: AddressBookOptions
  readonly #stop = new AbortController()
  #reading = false
  #asked = false

  constructor(options: AddressBookOptions) {
    this.#options = options
  }

  /** Something may have changed: reads what is new, again if it is just being read. */
  look(): void {
    this.#asked = true
    if (this.#reading || this.#stop.signal.aborted) return
    this.#reading = true
    void this.#follow()
  }

  close(): void {
    this.#stop.abort()
  }

  async #follow(): Promise<void> {
    let anew = false
    try {
      for (let failures = 0; this.#asked && !this.#stop.signal.aborted;) {
        this.#asked = false
        const outcome = await this.#attempt(anew)
        failures = outcome === 'done' ? 0 : failures + 1
        anew = outcome === 'anew' || (anew && outcome === 'again')
        if (outcome === 'done') continue
        this.#asked = true
        await sleep(backoffDelay(AGAIN, failures - 1, this.#options.random), this.#stop.signal)
      }
    } finally {
      this.#reading = false // in one turn with the last look at #asked: who asks between the two would be heard by nobody
    }
  }

  /** @param anew the place that is stored is given up: reading on from it failed, and would again */
  async #attempt(anew: boolean): Promise<'done' | 'again' | 'anew'> {
    const { logger, cursor, advance, failed } = this.#options
    let news: News | undefined
    try {
      news = await this.#read(await cursor(), anew)
    } catch (error) {
      if (this.#stop.signal.aborted) return 'done'
      if (isMissingKeyError(error)) {
        logger.info('the phone has not given the key to its contacts yet')
        return 'done' // it comes by itself, and whoever hears of it asks again
      }
      logger.warn({ err: error }, 'the phone\'s contacts cannot be read; trying again')
      return error instanceof CollectionRefusedError || error instanceof CollectionUnreadableError ? 'anew' : 'again'
    }
    if (news === undefined || this.#stop.signal.aborted) return 'done'
    try {
      await advance(news.cursor, this.#rowsOf(news))
    } catch (error) {
      failed(error)
      return 'done'
    }
    logger.info({ version: news.cursor.version, contacts: news.contacts.length, whole: news.whole }, 'the phone\'s contacts were read')
    return 'done'
  }

  /** What is new since `known`, or everything; `undefined` for nothing. */
  async #read(known: BookCursor | undefined, anew: boolean): Promise<News | undefined> {
    const { query, newId, keyOf, now } = this.#options
    const contacts = new Map<string, Contact>()
    const from = anew ? undefined : known
    // Above the last one whatever this container's clock says: a lower one's contacts count for nothing.
    const begin = (): number => Math.max(now(), (known?.bookAt ?? 0) + 1)
    let { bookAt, version } = from ?? { bookAt: begin(), version: 0 }
    let whole = version === 0
    for (let more = true; more;) {
      const part = await readAnswer(await query(question(newId(), version)), version, keyOf)
      if (part.whole && !whole) {
        // It was too far behind: who is not in the new book is not saved.
        whole = true
        bookAt = begin()
        contacts.clear()
      }
      for (const contact of part.mutations.map(contactIn)) if (contact !== undefined) contacts.set(contact.jid, contact)
      version = part.version
      more = part.more
    }
    // A phone that never told anything about its contacts is not one without any.
    if (version === 0 || version === from?.version) return undefined
    if (contacts.size > MOST_CONTACTS) {
      this.#options.logger.error({ contacts: contacts.size }, `the phone has more than ${MOST_CONTACTS} contacts; none of them are told`)
      return { cursor: { bookAt, version, untold: true }, contacts: [], whole }
    }
    // A change to a book of which nothing was told would pass for all of it.
    if (!whole && from?.untold === true) return { cursor: { bookAt, version, untold: true }, contacts: [], whole }
    return { cursor: { bookAt, version }, contacts: [...contacts.values()], whole }
  }

  #rowsOf({ cursor: { bookAt, version, untold }, contacts, whole }: News): EventRow[] {
    if (untold === true) return []
    if (contacts.length === 0 && !whole) return []
    const parts = Array.from({ length: Math.max(1, Math.ceil(contacts.length / CONTACTS_AN_EVENT)) }, (_, at) =>
      contacts.slice(at * CONTACTS_AN_EVENT, (at + 1) * CONTACTS_AN_EVENT))
    return parts.map((part, at) => {
      const event: ContactsUpdated = {
        version: 1, type: 'contacts.updated', tenantId: this.#options.tenantId, correlationId: `contacts-${version}-${at + 1}`,
        bookAt, revision: version, contacts: part, complete: at === parts.length - 1,
      }
      return contactsRow(event, this.#options.clock.next())
    })
  }
}
