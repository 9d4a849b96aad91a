import type { Indexed } from '../journal.js'
import type { Load } from '../load/load.js'
import type { LoadChat } from '../load/noted-chat.js'
import type { Business } from '../people/business.js'
import type { Customer } from '../people/customer.js'
import type { InboxMessage } from '../people/inbox.js'

/** What the control API shows of people and of the load. */

export const identityView = ({ phone, lid, name }: Business | Customer): object => ({ phone, lid, name })

export const businessView = (business: Business): object => ({
  ...identityView(business),
  ...business.settings,
  connected: business.connected,
  linkedDevices: [...business.devices.values()].map(device => ({
    number: device.number, jid: device.phoneJid, lid: device.lidJid, connected: device.connected, active: device.active,
    logins: device.logins, waiting: device.waiting, unconfirmed: device.unconfirmed,
  })),
  counts: business.counts,
  sentCopies: business.sentCopies.after(),
  contacts: business.addressBook.contacts(),
  requests: business.requests.after(),
  undecryptable: business.undecryptable,
})

export const customerView = (customer: Customer): object => ({ ...identityView(customer), ...customer.settings })

/** @param messages those after the index that was asked for; `next` is the index to ask with the next time. */
export const inboxView = (customer: Customer, after: number, messages: readonly Indexed<InboxMessage>[]): object => ({
  messages,
  next: messages.at(-1)?.index ?? after,
  copies: Object.fromEntries(customer.copies),
  undecryptable: customer.undecryptable,
  retryRequests: customer.retryRequests,
  resent: customer.resent,
  receipts: customer.receipts.after(),
  typing: customer.typing.after(),
})

export const loadView = (load: Load): object => {
  const { running, everyMs, seed, mostHeld } = load
  return { running, everyMs, seed, mostHeld, ...load.counts() }
}

export const loadChatView = ({ business, customer, written, shown }: LoadChat): object => ({
  business: business.phone,
  customer: customer.phone,
  written: Object.fromEntries(written),
  shown: Object.fromEntries(shown.map(({ id, text }) => [id, text])),
})
