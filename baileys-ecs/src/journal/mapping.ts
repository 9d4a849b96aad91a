import { proto } from '@whiskeysockets/baileys'
import type { Event, MessageReceived } from '@kesher/contracts'
import { contentOf } from './content.js'
import type { JournalRow, MessageRow } from './row.js'
import { chatOf } from './stanza.js'

const MAX_NAME_CHARACTERS = 256

/** The contract's event of a journal row. Pure, so that a row from before a restart gives the very same event. */
export function eventOf(tenantId: string, row: JournalRow): Event {
  return row.kind === 'event' ? row.event : messageReceived(tenantId, row)
}

function messageReceived(tenantId: string, row: MessageRow): MessageReceived {
  const { attrs, fromMe, receivedAt, backlog } = row
  const messageId = attrs['id'] ?? ''
  const senderName = attrs['notify']?.slice(0, MAX_NAME_CHARACTERS).toWellFormed() // a cut emoji is no valid JSON to the webhook
  return {
    version: 1,
    type: 'message.received',
    tenantId,
    correlationId: messageId,
    chat: chatOf(attrs, fromMe),
    messageId,
    fromMe,
    ...(senderName === undefined ? {} : { senderName }),
    sentAt: sentAt(attrs['t'], receivedAt),
    receivedAt,
    backlog,
    content: rowContent(row),
  }
}

function rowContent({ plaintext, unsupported }: MessageRow): MessageReceived['content'] {
  const content = plaintext === undefined ? undefined : contentOf(proto.Message.decode(plaintext))
  return content ?? { kind: 'unsupported', what: unsupported ?? 'empty' }
}

function sentAt(stamp: string | undefined, fallback: number): number {
  const seconds = Number(stamp)
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : fallback
}
