import type { NotOwner, Superseded, Unavailable, Unknown } from '@kesher/contracts'

const RETRY_AFTER_MS = 5_000

export function unavailable(messageId: string, reason: string, retryAfterMs = RETRY_AFTER_MS): Unavailable {
  return { outcome: 'unavailable', messageId, reason, retryAfterMs }
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
