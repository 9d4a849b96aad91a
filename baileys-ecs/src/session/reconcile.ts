import type { StoredSession } from '../store/session-records.js'

/** What this process holds of a session. */
export interface Held {
  readonly token: number
  readonly running: boolean
  readonly generation: number
  readonly fenced: boolean
  /** The auth state is dead, or a ban was seen: nothing to run until somebody asks. */
  readonly resting: boolean
}

export type Step = 'claim' | 'run' | 'restart' | 'pause' | 'unlink' | 'fence' | 'none'

/**
 * What to do about a session row (declarative: Python writes what is desired, the owner makes it so).
 *
 * Today the newest claimant wins, so a fenced owner must not claim back by itself: two would throw each other out for
 * ever. It does when a restart is asked for by a higher generation.
 *
 * @param held `undefined` if this process never held it
 */
export function stepFor(record: StoredSession, held: Held | undefined): Step {
  const { desired, desiredGeneration = 0, ownerToken = 0 } = record
  if (held === undefined) return desired === 'linked' ? 'claim' : 'none'
  if (held.fenced) return desired === 'linked' && desiredGeneration > held.generation ? 'claim' : 'none'
  if (ownerToken > held.token) return 'fence'
  if (desired === 'unlinked') return record.state === 'logged_out' ? 'none' : 'unlink'
  if (desired === 'stopped') return held.running ? 'pause' : 'none'
  if (desiredGeneration > held.generation) return held.running ? 'restart' : 'run'
  return held.running || held.resting ? 'none' : 'run'
}
