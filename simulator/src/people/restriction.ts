import type { Person } from './person.js'

/** Whom an account may write to: while WhatsApp restricts it, only those who wrote to it (463 for all others). */
export class Restriction {
  #until: number | null = null
  /** Jids of those who wrote to the account: these chats exist. */
  readonly #partners = new Set<string>()

  /** Milliseconds since 1970; null when the account is not restricted. */
  get until(): number | null {
    return this.#until !== null && this.#until > Date.now() ? this.#until : null
  }

  set until(until: number | null) {
    this.#until = until
  }

  /** @param chat the jid by which somebody wrote. */
  heardFrom(chat: string): void {
    this.#partners.add(chat)
  }

  allows({ phoneJid, lidJid }: Person): boolean {
    return this.until === null || this.#partners.has(phoneJid) || this.#partners.has(lidJid)
  }
}
