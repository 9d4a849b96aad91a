import { areJidsSameUser, getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys'
import type { MessageStatus } from '@kesher/contracts'
import type { SentMessage } from '../store/sent-log.js'
import { chatKind, directChat, personJid, type Me } from './stanza.js'

export interface Receipt {
  readonly status: 'delivered' | 'read'
  readonly messageIds: readonly string[]
  readonly from: string
  readonly at: number
}

/** No type: delivered. `sender` and `*-self` are our own devices; `retry` asks for a repeat; `hist_sync` is no news. */
const STATUS: Readonly<Record<string, Receipt['status']>> = { '': 'delivered', inactive: 'delivered', read: 'read', played: 'read' }

/** What another person's device reports of our messages, or `undefined` if the receipt is about something else. */
export function readReceipt({ attrs, content }: BinaryNode, me: Me, now: number): Receipt | undefined {
  const { id, from } = attrs
  const status = STATUS[attrs['type'] ?? '']
  const author = attrs['participant'] ?? from
  if (id === undefined || from === undefined || status === undefined) return undefined
  if (areJidsSameUser(author, me.id) || areJidsSameUser(author, me.lid)) return undefined
  const list = Array.isArray(content) ? getBinaryNodeChild({ tag: 'receipt', attrs, content }, 'list') : undefined
  const more = getBinaryNodeChildren(list, 'item').flatMap(({ attrs: item }) => item['id'] === undefined ? [] : [item['id']])
  const seconds = Number(attrs['t'])
  return {
    status, from, messageIds: [...new Set([id, ...more])],
    at: Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : now,
  }
}

/** The contract's event about a message that we sent. */
export function messageStatus(tenantId: string, sent: SentMessage, status: MessageStatus['status'], at: number, seenFrom?: string): MessageStatus {
  const { chatJid, messageId, correlationId } = sent
  const kind = chatKind(chatJid)
  return {
    version: 1, type: 'message.status', tenantId, correlationId, messageId, status, at,
    chat: kind === 'direct' ? directChat(chatJid, [chatJid, seenFrom]) : { kind, jid: personJid(chatJid) },
  }
}
