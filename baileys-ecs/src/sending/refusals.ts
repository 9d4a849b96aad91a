import type { Refused } from '@kesher/contracts'

interface Refusal {
  readonly reason: string
  readonly permanent: boolean
}

/** The account is restricted ("reach-out time lock"). */
export const RESTRICTED = '463'

/** `error` attributes of WhatsApp's acknowledgement that are known; Baileys names 463 and 479. */
const KNOWN: Readonly<Record<string, Refusal>> = {
  [RESTRICTED]: {
    reason: 'WhatsApp restricts this number at the moment: it may answer in existing chats but not begin new ones. Repeating makes it worse.',
    permanent: true,
  },
  479: { reason: 'WhatsApp\'s server found the message malformed or addressed to a device that no longer exists.', permanent: true },
  429: { reason: 'WhatsApp is limiting how fast this number sends.', permanent: false },
}

/**
 * What a refused message means for a person, and whether it may ever be tried again.
 *
 * @param restrictedUntil end of the account's restriction, if WhatsApp named one (463)
 */
export function refusal(messageId: string, code: string, restrictedUntil?: Date): Refused {
  const temporary = /^5\d\d$/.test(code)
  const known = KNOWN[code] ?? {
    reason: temporary ? `WhatsApp's server failed (${code}).` : `WhatsApp refused the message (${code}).`,
    permanent: !temporary,
  }
  const until = code === RESTRICTED && restrictedUntil !== undefined ? { until: restrictedUntil.getTime() } : {}
  return { outcome: 'refused', messageId, code, ...known, ...until }
}
