import type { StoredSession } from '../store/session-records.js'

/** What this process holds of a session. */
export interface Held {
  readonly token: number
  readonly running: boolean
  readonly generation: number
  /** The auth state is dead, or a ban was seen: nothing to run until somebody asks. */
  readonly resting: boolean
}

export type Step = 'run' | 'restart' | 'pause' | 'unlink' | 'fence' | 'none'

/** Whether somebody must hold the session: to keep a socket, or to finish and report what was asked for. */
export function needsOwner({ desired, state }: Pick<StoredSession, 'desired' | 'state'>): boolean {
  const known = state ?? undefined
  if (desired === 'linked') return true
  if (known === undefined || known === 'logged_out') return false
  return desired === 'unlinked' || known !== 'disconnected'
}

/** What to do about a session that this process holds (declarative: Python writes what is desired, the owner makes it so). */
export function stepFor(record: StoredSession, held: Held): Step {
  const { desired, desiredGeneration = 0, ownerToken = 0 } = record
  if (ownerToken > held.token) return 'fence'
  if (desired === 'unlinked') return record.state === 'logged_out' ? 'none' : 'unlink'
  if (desired === 'stopped') return held.running ? 'pause' : 'none'
  if (desiredGeneration > held.generation) return held.running ? 'restart' : 'run'
  return held.running || held.resting ? 'none' : 'run'
}
