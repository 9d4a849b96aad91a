import { type Faults, NO_FAULTS } from '../faults.js'
import { Journal } from '../journal.js'
import { MediaStore } from '../media/media-store.js'
import { Directory } from '../people/directory.js'
import { type ReadableStanza, type Stanza, readable } from '../stanza.js'
import { issueCertificates } from './certificates.js'
import { PairingDesk } from './pairing.js'

/** A stanza that went over a connection; `in` is from the client. */
export interface LoggedStanza {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly dir: 'in' | 'out'
  /** The linked device's jid; null before the login. */
  readonly device: string | null
  readonly stanza: ReadableStanza
}

export interface WorldOptions {
  /** How many stanzas are remembered. Default: 10,000. */
  readonly logLimit?: number
  /** Is told of what went wrong inside the simulator itself. Default: nobody; see {@link World.problems}. */
  readonly onProblem?: (problem: Error) => void
  /** Is told of every stanza. */
  readonly onStanza?: (entry: LoggedStanza) => void
}

/** What all connections share. */
export class World {
  readonly certificates = issueCertificates()
  readonly directory = new Directory()
  readonly desk = new PairingDesk()
  readonly media = new MediaStore()
  readonly log: Journal<LoggedStanza>
  /** Queries that the simulator had no answer for (it said "fine" to them): a test should see none. */
  readonly unhandled = new Journal<LoggedStanza>(1_000)
  /** Errors of the simulator's own: a test should see none. */
  readonly problems = new Journal<{ readonly at: number; readonly message: string }>(1_000)
  faults: Faults = NO_FAULTS
  readonly #options: WorldOptions

  constructor(options: WorldOptions = {}) {
    this.#options = options
    this.log = new Journal(options.logLimit ?? 10_000)
  }

  record(dir: 'in' | 'out', device: string | null, stanza: Stanza): LoggedStanza {
    const entry = { at: Date.now(), dir, device, stanza: readable(stanza) }
    this.log.append(entry)
    this.#options.onStanza?.(entry)
    return entry
  }

  report(problem: unknown): void {
    const error = problem instanceof Error ? problem : new Error(String(problem))
    this.problems.append({ at: Date.now(), message: error.message })
    this.#options.onProblem?.(error)
  }
}
