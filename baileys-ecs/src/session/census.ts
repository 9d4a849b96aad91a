import type { SessionStatus } from '@kesher/contracts'
import type { StoredSession } from '../store/session-records.js'
import { needsOwner } from './reconcile.js'

/** A session as its holder knows it. */
export interface Vitals {
  readonly tenantId: string
  readonly state: SessionStatus['state']
  readonly canSend: boolean
  /** A number was linked, so that there is something to connect with. */
  readonly paired: boolean
  /** Logged out or banned: it needs a person. */
  readonly resting: boolean
  /** Milliseconds since WhatsApp's server last answered anything; `undefined` without an open socket. */
  readonly answerAgeMs: number | undefined
  /** Sends that stayed without acknowledgement since the last one that got it. */
  readonly unacknowledged: number
}

export interface Census {
  readonly connected: number
  /** Tenants whose session should be connected and is not. */
  readonly down: readonly string[]
  /** Tenants whose session seems connected while WhatsApp acknowledges nothing. */
  readonly silent: readonly string[]
}

/** Fewer may have been one bad moment of WhatsApp's, which the next send would show. */
const SILENT_SENDS = 3

/**
 * How the sessions are, as far as this container can say.
 *
 * @param rows all sessions, whoever holds them
 * @param held those that this container holds
 * @param isUnowned whether nobody alive holds the session of that row
 * @param silenceMs after which the watchdog should have ended the socket
 */
export function census(
  rows: readonly StoredSession[], held: readonly Vitals[], isUnowned: (row: StoredSession) => boolean, silenceMs: number,
): Census {
  const wanted = new Set(rows.filter(({ desired }) => desired === 'linked').map(({ tenantId }) => tenantId))
  const here = new Set(held.map(({ tenantId }) => tenantId))
  return {
    connected: held.filter(({ canSend }) => canSend).length,
    down: [
      ...held.filter(vitals => wanted.has(vitals.tenantId) && isDown(vitals)),
      // Every container reports these: their owner is dead, or nobody has room for them.
      ...rows.filter(row => row.desired === 'linked' && needsOwner(row) && !here.has(row.tenantId) && isUnowned(row)),
    ].map(({ tenantId }) => tenantId),
    silent: held.filter(vitals => isSilent(vitals, silenceMs)).map(({ tenantId }) => tenantId),
  }
}

/** A number that waits for a scan is not down; one that was logged out or banned is. */
const isDown = ({ canSend, paired, state, resting }: Vitals): boolean => !canSend && state !== 'pairing' && (paired || resting)

const isSilent = ({ answerAgeMs = 0, unacknowledged, canSend }: Vitals, silenceMs: number): boolean =>
  answerAgeMs > 2 * silenceMs || (canSend && unacknowledged >= SILENT_SENDS)
