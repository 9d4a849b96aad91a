import type { NotOwner, Refused, Superseded, Unavailable, Unknown } from '@kesher/contracts'
import type { Wait } from './pace.js'

const RETRY_AFTER_MS = 5_000

export function unavailable(messageId: string, reason: string): Unavailable {
  return { outcome: 'unavailable', messageId, reason, retryAfterMs: RETRY_AFTER_MS }
}

/** Held back by the limits of the number. */
export function paced(messageId: string, { reason, retryAfterMs }: Wait): Unavailable {
  return { outcome: 'unavailable', messageId, reason, retryAfterMs, paced: true }
}

/** It can never be sent as it is. */
export function unsendable(messageId: string, reason: string): Refused {
  return { outcome: 'refused', messageId, code: 'unsendable', reason, permanent: true }
}

export function notOwner(messageId: string): NotOwner {
  return { outcome: 'not_owner', messageId, reason: 'Another container owns this session now; look its address up again. Nothing was sent.' }
}

export function superseded(messageId: string): Superseded {
  return { outcome: 'superseded', messageId, reason: 'The business\'s own phone wrote in this chat, and whether that was a person is not known yet; nothing was sent.' }
}

export function unknown(messageId: string, reason: string): Unknown {
  return { outcome: 'unknown', messageId, reason }
}
