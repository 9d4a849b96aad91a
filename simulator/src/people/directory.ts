import { ConflictError, NotFoundError } from '../errors.js'
import { userOf } from '../jids.js'
import { Business } from './business.js'
import { Customer } from './customer.js'
import type { Person } from './person.js'

/** Everybody who has WhatsApp, by phone number and by LID. */
export class Directory {
  readonly #people = new Map<string, Person>()

  /** @throws ConflictError when the phone number or the LID is somebody's already. */
  add<P extends Person>(person: P): P {
    for (const name of [person.phone, person.lid]) {
      if (this.#people.has(name)) throw new ConflictError(`${name} is taken`)
    }
    this.#people.set(person.phone, person).set(person.lid, person)
    return person
  }

  /** Whoever a jid names, by LID or phone, with or without a device number. */
  find(jid: string): Person | undefined {
    return this.#people.get(userOf(jid))
  }

  /** @param phone digits. @throws NotFoundError */
  business(phone: string): Business {
    const person = this.#people.get(phone)
    if (person instanceof Business) return person
    throw new NotFoundError(`no business has the phone number ${phone}`)
  }

  /** @param phone digits. @throws NotFoundError */
  customer(phone: string): Customer {
    const person = this.#people.get(phone)
    if (person instanceof Customer) return person
    throw new NotFoundError(`no customer has the phone number ${phone}`)
  }

  businesses(): Business[] {
    return [...new Set(this.#people.values())].filter(person => person instanceof Business)
  }
}
