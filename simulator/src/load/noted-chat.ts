import type { Business } from '../people/business.js'
import type { Customer } from '../people/customer.js'
import type { InboxMessage } from '../people/inbox.js'

/** One customer who writes to one business. */
export interface Pair {
  readonly business: Business
  readonly customer: Customer
}

/** What was written in a chat since the load began, and what the customer's phone shows. */
export interface LoadChat extends Pair {
  /** Message id -> text, in the order in which the customer wrote. */
  readonly written: ReadonlyMap<string, string>
  /** What came from the business, each message once, in the order of arrival. */
  readonly shown: readonly InboxMessage[]
}

/** What WhatsApp holds for one business, whoever wrote it. */
export class Backlog {
  /** Messages that are being encrypted: they are held in a moment. */
  underWay = 0

  constructor(readonly business: Business) {}

  /** Stanzas for the device that is furthest behind. */
  get held(): number {
    return Math.max(0, ...[...this.business.devices.values()].map(({ waiting, unconfirmed }) => waiting + unconfirmed))
  }
}

/** Notes what a customer's phone shows from here on; the phone itself forgets after some thousands. */
export class NotedPhone {
  /** The phone number of a business -> the chat with it. */
  readonly #chats = new Map<string, NotedChat>()
  readonly #inbox: Customer['inbox']
  #read: number

  constructor({ inbox }: Customer) {
    this.#inbox = inbox
    this.#read = inbox.total
  }

  add(chat: NotedChat): void {
    this.#chats.set(chat.business.phone, chat)
  }

  look(): void {
    for (const { index, ...message } of this.#inbox.after(this.#read)) {
      this.#read = index
      this.#chats.get(message.from)?.shown.push(message)
    }
  }
}

export class NotedChat implements LoadChat {
  readonly written = new Map<string, string>()
  readonly shown: InboxMessage[] = []

  constructor(readonly business: Business, readonly customer: Customer, readonly backlog: Backlog, readonly phone: NotedPhone) {
    phone.add(this)
  }
}

/** The chats of one business share its backlog, those of one customer the phone. */
export function noteChats(pairs: readonly Pair[]): NotedChat[] {
  const backlogs = new Map(pairs.map(({ business }) => [business, new Backlog(business)]))
  const phones = new Map(pairs.map(({ customer }) => [customer, new NotedPhone(customer)]))
  return pairs.map(({ business, customer }) =>
    new NotedChat(business, customer, backlogs.get(business) as Backlog, phones.get(customer) as NotedPhone))
}
