import type { MessageReceived, SendCommand } from '@kesher/contracts'
import type { Business, Customer } from '@kesher/simulator'
import type { Counts } from './chaos.js'
import type { WebhookStub } from './webhook.js'

/** A chat of one number. */
export interface Party {
  readonly tenant: string
  readonly business: Business
  readonly customer: Customer
}

type Kind = MessageReceived['content']['kind']

/** What a message says, as far as it is compared: the words, or of what kind it is. */
const wordsOf = (content: MessageReceived['content']): string => 'text' in content && content.kind !== 'choice' ? content.text : content.kind

/** Messages of every kind as the people wrote them, beside what the webhook and the phones have; it reads each but once. */
export class Ledger {
  readonly #webhook: WebhookStub
  readonly #said = new Map<string, string>()
  readonly #heard = new Set<string>()
  readonly #answered = new Map<string, string | undefined>()
  readonly #acknowledged = new Set<string>()
  readonly #shown = new Set<string>()
  readonly #read = new Map<Customer, number>()
  /** Whose phones may show something new. */
  readonly #awaiting = new Map<Customer, Set<string>>()
  #events = 0
  #wrong = 0
  #wrongShown = 0
  /** Notes on messages that came and could not be decrypted; the messages themselves came later. */
  undecryptable = 0
  /** What WhatsApp said of our messages. */
  statuses = 0
  /** Of groups, stories, and what the business's own phone wrote. */
  others = 0

  constructor(webhook: WebhookStub) {
    this.#webhook = webhook
  }

  /** @param what the words of a text or an edit, otherwise the contract's kind */
  said({ tenant }: Party, id: string, what: Kind | (string & {})): void {
    this.#said.set(`${tenant} ${id}`, what)
  }

  /** Whether the webhook has all of these. */
  hasHeard({ tenant }: Party, ids: readonly string[]): boolean {
    this.#hear()
    return ids.every(id => this.#heard.has(`${tenant} ${id}`))
  }

  /** A command that must arrive, under this id and no other. */
  answered({ customer }: Party, { messageId, content }: SendCommand): void {
    this.#answered.set(messageId, content.kind === 'text' ? content.text : undefined)
    this.#awaiting.set(customer, (this.#awaiting.get(customer) ?? new Set()).add(messageId))
  }

  /** WhatsApp's server has it: from now on only the customer's phone can be at fault, or what it was encrypted with. */
  acknowledged(messageId: string): void {
    this.#acknowledged.add(messageId)
  }

  /** It gave way to the owner, so it must not arrive. */
  gaveWay({ customer }: Party, { messageId }: SendCommand): void {
    this.#answered.delete(messageId)
    this.#awaiting.get(customer)?.delete(messageId)
  }

  /** What is not where it belongs: tenant or phone, id, and what it says. */
  get missing(): string[] {
    this.counts()
    const unheard = [...this.#said].filter(([id]) => !this.#heard.has(id)).map(([id, what]) => `${id} ${what}`)
    return [...unheard, ...[...this.#awaiting].flatMap(([{ phone }, ids]) => [...ids].map(id => `${phone} ${id} ${this.#acknowledged.has(id) ? 'acknowledged' : 'not acknowledged'}`))]
  }

  counts(): Counts {
    this.#hear()
    for (const customer of this.#awaiting.keys()) this.#look(customer)
    return {
      received: this.#heard.size, lost: this.#said.size - this.#heard.size, doubled: this.#wrong,
      sent: this.#shown.size, sentTwice: this.#wrongShown, unsent: this.#answered.size - this.#shown.size,
      disordered: 0, // edits and what is sent again have their own time; `chaos` looks at the order
    }
  }

  /** Looks at every phone once more: at those, too, that wait for nothing. */
  settle(): Counts {
    for (const customer of this.#read.keys()) this.#look(customer)
    return this.counts()
  }

  #hear(): void {
    const { events } = this.#webhook
    for (; this.#events < events.length; this.#events++) {
      const event = events[this.#events]
      if (event?.type === 'message.status') this.statuses++
      if (event?.type !== 'message.received') continue
      const { tenantId, messageId, content, fromMe, chat } = event
      if (fromMe || chat.kind !== 'direct') this.others++
      else if (content.kind === 'unsupported' && content.what === 'undecryptable') this.undecryptable++
      else if (this.#said.get(`${tenantId} ${messageId}`) === wordsOf(content)) this.#heard.add(`${tenantId} ${messageId}`)
      else this.#wrong++
    }
  }

  #look(customer: Customer): void {
    const news = customer.inbox.after(this.#read.get(customer) ?? 0)
    this.#read.set(customer, news.at(-1)?.index ?? this.#read.get(customer) ?? 0)
    const awaited = this.#awaiting.get(customer)
    for (const { id, text, device } of news) {
      if (device === 0) continue // the owner's own
      const due = this.#answered.get(id)
      if (this.#answered.has(id) && !this.#shown.has(id) && (due === undefined || due === text)) this.#shown.add(id)
      else this.#wrongShown++
      awaited?.delete(id)
    }
    if (awaited?.size === 0) this.#awaiting.delete(customer)
  }
}
