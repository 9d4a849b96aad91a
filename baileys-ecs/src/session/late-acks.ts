import { messageStatus } from '../journal/receipts.js'
import { statusRow } from '../journal/row.js'
import type { Logger } from '../observability/logger.js'
import type { SentLog } from '../store/sent-log.js'
import type { Ack } from './acks.js'
import type { Inbox } from './inbox.js'

export interface LateAckOptions {
  readonly tenantId: string
  readonly sent: SentLog
  readonly inbox: Pick<Inbox, 'append' | 'clock'>
  readonly logger: Logger
}

/** An acknowledgement after its send was called unknown: the webhook learns it as an event. */
export async function noteLateAck({ tenantId, sent, inbox, logger }: LateAckOptions, messageId: string, ack: Ack): Promise<void> {
  let correlationId: string | undefined
  try {
    const message = await sent.get(messageId)
    correlationId = message?.correlationId
    if (message === undefined || message.acknowledgedAt !== undefined) return
    if (ack.kind === 'refused') {
      await sent.note(messageId, { refusedCode: ack.code })
      return
    }
    await sent.note(messageId, { acknowledgedAt: ack.at })
    await inbox.append([statusRow(messageStatus(tenantId, message, 'sent', ack.at), inbox.clock.next())])
  } catch (error) {
    logger.error({ err: error, correlationId, messageId }, 'a late acknowledgement could not be stored; a repeat of the send will ask again')
  }
}
