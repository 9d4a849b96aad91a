import { deviceOf } from '../jids.js'
import { Customer } from '../people/customer.js'
import type { Directory } from '../people/directory.js'
import { readRetryBundle } from '../people/key-bundle.js'
import type { LinkedDevice } from '../people/linked-device.js'
import type { CiphertextType } from '../people/signal-device.js'
import { type Stanza, bytesIn, child, children, firstChild, timestamp } from '../stanza.js'
import type { Faults } from '../faults.js'

/** What a device's stanzas are routed with. */
export interface Route {
  readonly device: LinkedDevice
  readonly directory: Directory
  readonly faults: Faults
  /** Answers the device. */
  readonly reply: (stanza: Stanza) => void
}

/**
 * A message from a linked device: acknowledged by the server, then handed to the phones it is encrypted for. "Sent" means
 * acknowledged; what the phones think of it comes back as receipts.
 */
export async function routeMessage(message: Stanza, { device, directory, faults, reply }: Route): Promise<void> {
  const { id = '', to = '' } = message.attrs
  const receiver = directory.find(to)
  const error = faults.ackError ?? (!receiver || device.business.mayWriteTo(receiver) ? null : RESTRICTED)
  if (!faults.dropAcks) {
    reply({ tag: 'ack', attrs: { class: 'message', id, from: to, t: timestamp(), ...(error !== null && { error }) } })
  }
  if (error !== null) return
  device.business.counts.sent++
  for (const { jid, enc } of recipients(message)) {
    await directory.find(jid)?.receive({
      id, from: device, to: deviceOf(jid), ciphertext: { type: enc.attrs.type as CiphertextType, bytes: bytesIn(enc) },
    })
  }
}

/** The account is restricted: it may begin no new chats. */
const RESTRICTED = '463'

/** A first sending names everybody's devices in `<participants>`; one for a single device has its `<enc>` at the top. */
function recipients(message: Stanza): { readonly jid: string; readonly enc: Stanza }[] {
  const only = child(message, 'enc')
  const participants = children(child(message, 'participants'), 'to')
  const targets = only
    ? [{ jid: message.attrs.participant ?? message.attrs.to, enc: only }]
    : participants.map(to => ({ jid: to.attrs.jid, enc: firstChild(to) }))
  return targets.filter((target): target is { jid: string; enc: Stanza } =>
    target.jid !== undefined && (target.enc?.attrs.type === 'pkmsg' || target.enc?.attrs.type === 'msg'))
}

/**
 * A receipt from a linked device, which confirms the message to the server and tells its sender; or, of type `retry`,
 * says that the device could not decrypt it and asks the sender for it again; or, of type `server-error`, asks its own phone for a file.
 */
export async function routeReceipt(receipt: Stanza, { device, directory, reply }: Route): Promise<void> {
  const { id = '', to = '', participant, type } = receipt.attrs
  reply({ tag: 'ack', attrs: { class: 'receipt', id, from: to, ...(type !== undefined && { type }) } })
  if (type === 'server-error') {
    await device.business.uploadAgain(device, receipt)
    return
  }
  const sender = directory.find(participant ?? to)
  const ids = [id, ...children(child(receipt, 'list'), 'item').map(item => item.attrs.id ?? '')]
  for (const each of ids) {
    if (type !== 'retry') device.confirm(each)
    if (sender instanceof Customer) sender.receipts.append({ id: each, type: type ?? 'delivery', at: Date.now() })
  }
  if (type === 'retry' && sender instanceof Customer) {
    const attempt = Number(child(receipt, 'retry')?.attrs.count ?? 1)
    await sender.sendAgain(device, id, attempt, readRetryBundle(receipt), deviceOf(participant ?? to))
  }
}

/** The device confirms a stanza without a receipt: a newsletter's message, or (with an error) one that it will not have. */
export function routeAck(ack: Stanza, { device }: Route): void {
  const { class: about, id = '', error } = ack.attrs
  if (about === 'message') device.confirm(id, { refused: error !== undefined })
}

/** "is typing ..." */
export function routeChatState(chatState: Stanza, { directory }: Route): void {
  const person = directory.find(chatState.attrs.to ?? '')
  const state = firstChild(chatState)?.tag
  if (person instanceof Customer && state !== undefined) person.typing.append({ state, at: Date.now() })
}
