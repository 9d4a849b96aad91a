import type { ConnectionUpdated, PairingRecord, SessionStatus } from '@kesher/contracts'
import { connectionRow, type JournalClock, type JournalRow } from '../journal/row.js'
import type { Logger } from '../observability/logger.js'
import { FencedError } from '../store/errors.js'
import { journalItem } from '../store/journal.js'
import { pairingKey } from '../store/keys.js'
import type { StoredSession } from '../store/session-records.js'
import type { FencedWriter, Write } from '../store/writer.js'
import { RESTING_CODES } from './disconnects.js'
import { offerOf, type Shown } from './pairing.js'

export type State = Pick<SessionStatus, 'state' | 'code' | 'reason' | 'pairing'>

/** The state as the last owner left it, as far as it outlives its socket. */
function stateFrom({ state, code, reason }: StoredSession): State {
  const known = { ...(code == null ? {} : { code }), ...(reason == null ? {} : { reason }) }
  if (state === 'logged_out') return { reason: LOGGED_OUT, ...known, state }
  return state === 'disconnected' ? { ...known, state } : { state: 'disconnected' }
}

/** Whether nothing is tried in this state until a person asks: logged out, or banned. */
export const isResting = ({ state, code }: State): boolean =>
  state === 'logged_out' || (state === 'disconnected' && code != null && RESTING_CODES.has(code))

export interface ReportedStateOptions {
  readonly writer: FencedWriter
  readonly clock: JournalClock
  readonly now: () => number
  readonly logger: Logger
  /** Called with the event's row once it is in the table. */
  readonly journalled: (row: JournalRow) => void
  readonly fenced: () => void
}

/** A session's state: as this process knows it, as its row says it, and as the webhook is told. */
export class ReportedState {
  phoneJid: string | undefined
  /** The `desiredGeneration` that was acted on. */
  generation: number
  readonly #options: ReportedStateOptions
  #known: State & { readonly since: number }
  #shown: Shown | undefined
  /** The row does not say what is true: it is from another owner, or the database could not be written. */
  #unreported: boolean

  constructor(options: ReportedStateOptions, claimed: StoredSession) {
    const initial = stateFrom(claimed)
    this.#options = options
    this.#known = { ...initial, since: options.now() }
    this.generation = claimed.generation ?? 0
    this.#unreported = claimed.state !== undefined && claimed.state !== initial.state
  }

  get known(): State & { readonly since: number } {
    return this.#known
  }

  /** For this process only: a fenced one may not write any more. */
  assume(state: State): void {
    this.#known = { ...state, since: this.#options.now() }
  }

  /** Writes the state into the session's row and its event into the journal, in one transaction; nothing if it is the same. */
  async report(next: State): Promise<void> {
    if (this.#known.state === next.state && this.#known.code === next.code && this.#shown === undefined) return
    this.#shown = undefined
    this.assume(next)
    await this.#publish()
  }

  /** The same, and the row is free with this very write: the next owner does not wait for another one. */
  async release(next: State): Promise<void> {
    this.#shown = undefined
    this.assume(next)
    await this.#publish({ ownerUrl: undefined, ownerId: undefined })
  }

  /** The same for a number that can be linked now. What with goes into a row of its own, not into the event. */
  async reportPairing(shown: Shown): Promise<void> {
    this.#shown = shown
    this.assume({ state: 'pairing', pairing: offerOf(shown) })
    await this.#publish()
  }

  /** Writes again what the database did not take when it changed. */
  async ensureReported(): Promise<void> {
    if (this.#unreported) await this.#publish()
  }

  /** @param owner attributes of the row that say who holds it, if that changes */
  async #publish(owner: Readonly<Record<string, undefined>> = {}): Promise<void> {
    const { writer, clock, logger, journalled, fenced } = this.#options
    const { since: at, ...state } = this.#known
    const { tenantId } = writer
    const event: ConnectionUpdated = {
      version: 1, type: 'connection.updated', tenantId, correlationId: `connection-${tenantId}-${at}`, ...state, at,
      ...(this.phoneJid === undefined ? {} : { phoneJid: this.phoneJid }),
    }
    const row = connectionRow(event, clock.next())
    this.#unreported = false
    try {
      await writer.writeSession({
        state: state.state, code: state.code ?? null, reason: state.reason ?? null, updatedAt: at, generation: this.generation,
        phoneJid: this.phoneJid ?? null, ...owner,
      }, [{ put: journalItem(tenantId, row) }, pairingWrite(tenantId, this.#shown)])
      journalled(row)
      logger.info({ state: state.state, code: state.code }, 'session state')
    } catch (error) {
      if (error instanceof FencedError) {
        fenced()
      } else {
        this.#unreported = true
        logger.error({ err: error, state: state.state }, 'the session\'s state could not be written; it will be tried again')
      }
    }
  }
}

function pairingWrite(tenantId: string, shown: Shown | undefined): Write {
  const key = pairingKey(tenantId)
  if (shown === undefined) return { delete: key }
  const { expiresAt: validUntil } = shown
  const what = shown.method === 'qr' ? { qr: shown.qr } : { code: shown.code, phone: shown.phone }
  const record: PairingRecord = { tenantId, ...what, validUntil }
  return { put: { ...key, ...record, expiresAt: Math.ceil(validUntil / 1000) } }
}

const LOGGED_OUT = 'The device was unlinked on the phone, or its keys are no longer valid. Ask for a new QR code to link it again.'
