import { jidNormalizedUser, type AuthenticationCreds, type WAVersion } from '@whiskeysockets/baileys'
import { Occasion } from '../concurrency/occasion.js'
import { sleep } from '../concurrency/sleep.js'
import type { Logger } from '../observability/logger.js'
import type { OwnWrites } from '../sending/own-writes.js'
import type { AddressBookStore } from '../store/address-book.js'
import type { AuthState } from '../store/auth-state.js'
import { FencedError, StoreUnavailableError } from '../store/errors.js'
import type { SentLog } from '../store/sent-log.js'
import type { StoredSession } from '../store/session-records.js'
import type { FencedWriter } from '../store/writer.js'
import { versionToLogInWith } from './client-version.js'
import { Connection, type ConnectionEnd } from './connection.js'
import type { SessionDependencies } from './dependencies.js'
import { answerTo, failedAgain, HEALTHY_MS, NO_FAILURES, type Answer, type Failures } from './disconnects.js'
import type { Inbox } from './inbox.js'
import { noteLateAck } from './late-acks.js'
import { isPaired, type CodeWish } from './pairing.js'
import type { ReportedState } from './reported-state.js'
import { retryCounters } from './retry-counters.js'

export interface UpkeepOptions extends Pick<
  SessionDependencies, 'records' | 'live' | 'settings' | 'random' | 'now' | 'monotonic' | 'counters' | 'starts'
> {
  readonly tenantId: string
  readonly token: number
  readonly writer: FencedWriter
  readonly auth: AuthState
  readonly sent: SentLog
  readonly book: AddressBookStore
  readonly ownWrites: OwnWrites
  readonly inbox: Inbox
  readonly state: ReportedState
  /** Called when the session turns out to be somebody else's. */
  readonly fenced: () => void
  readonly logger: Logger
}

/** Keeps a socket: opens one, answers its end as that end asks for, and opens the next, until it is told to stop or has to rest. */
export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #retryCounters = retryCounters()
  #connection: Connection | undefined
  #restrictedUntil: Date | undefined
  /** Raised to end the socket and whatever waits for the next one. */
  #stop = new AbortController()
  #running: Promise<void> | undefined
  readonly #opened = new Occasion()

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  /** The socket of this moment. */
  get connection(): Connection | undefined {
    return this.#connection
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** The socket there is, if any, is the last one. */
  get isStopping(): boolean {
    return this.#stop.signal.aborted
  }

  /** Until when WhatsApp forbids new chats, as far as this process heard of it. */
  get restrictedUntil(): Date | undefined {
    return this.#restrictedUntil !== undefined && this.#restrictedUntil.getTime() > this.#options.now() ? this.#restrictedUntil : undefined
  }

  start(): void {
    if (this.#running !== undefined) return
    this.#stop = new AbortController()
    this.#running = this.#keepConnected(this.#stop.signal)
      .catch((error: unknown) => { this.#options.logger.fatal({ err: error }, 'a session broke down'); throw error })
      .finally(() => { this.#running = undefined })
  }

  /** No new socket from now on; the one there is stays until it is closed. */
  stop(): void {
    this.#stop.abort()
  }

  /** Resolves when there is neither a socket nor anything that would open one. */
  async stopped(): Promise<void> {
    await this.#running
  }

  /** Starts, and resolves when the socket is open, when there will be none, or after `ms`. */
  async startAndOpen(ms: number): Promise<void> {
    const opened = this.#opened.next(AbortSignal.timeout(ms))
    this.start()
    await Promise.race([opened, this.#running])
  }

  /** The open socket, or the next one; `undefined` when the signal is raised before. */
  async openConnection(signal: AbortSignal): Promise<Connection | undefined> {
    while (this.#connection?.isOpen !== true && !signal.aborted) await this.#opened.next(signal)
    return signal.aborted ? undefined : this.#connection
  }

  async #keepConnected(stop: AbortSignal): Promise<void> {
    let failures: Failures | 'stay down' = NO_FAILURES
    while (failures !== 'stay down') {
      const end = await this.#once(stop)
      if (end === undefined || stop.aborted) return
      if (end.code !== RESTART_ASKED) this.#options.counters.add('reconnects')
      failures = await this.#answerSurely(end, end.openForMs >= HEALTHY_MS ? NO_FAILURES : failures, stop)
    }
  }

  /** One socket, from its start to its end. */
  async #once(stop: AbortSignal): Promise<ConnectionEnd | undefined> {
    const { auth, state, writer, starts, live, logger, counters, now, fenced } = this.#options
    try {
      const [record, creds, version] = await Promise.all([this.#record(), auth.loadCreds(), versionToLogInWith(live, logger)])
      if (record === undefined) return undefined // a fenced owner's login would throw the new owner's socket out
      if (!isPaired(creds)) await auth.archive(now()) // what an interrupted archive left behind
      await state.report({ state: 'connecting' })
      await starts.turn(stop)
      if (stop.aborted) return undefined
      if (creds.me !== undefined && isPaired(creds)) state.phoneJid = jidNormalizedUser(creds.me.id)
      const connection = this.#connect(creds, record, version)
      this.#connection = connection
      const end = await connection.ended
      counters.add('socketsEnded')
      await writer.idle() // the credentials of a pairing, for one
      this.#connection = undefined
      return end
    } catch (error) {
      if (error instanceof FencedError) {
        fenced()
        return undefined
      }
      return { code: undefined, paired: true, openForMs: 0, storeError: error }
    }
  }

  #connect(creds: AuthenticationCreds, record: StoredSession, version: WAVersion): Connection {
    const { tenantId, auth, sent, book, ownWrites, inbox, settings, random, now, monotonic, counters, logger } = this.#options
    const connection = new Connection({
      tenantId, auth, creds, sent, book, ownWrites, clock: inbox.clock, random, now, counters, logger, monotonic, version,
      waWebSocketUrl: settings.waWebSocketUrl, connectTimeoutMs: settings.connectTimeoutMs, silenceMs: settings.silenceMs, probeMs: settings.probeMs,
      codeWish: codeWish(record), qrMs: settings.qrMs, codeMs: settings.pairingCodeMs, retryCounters: this.#retryCounters,
      append: rows => inbox.append(rows),
      journalled: rows => { inbox.journalled(rows) },
      lateAck: (id, ack) => noteLateAck({ tenantId, sent, inbox, logger }, id, ack),
      changed: changed => { this.#changed(changed) },
    })
    connection.socket.ev.on('connection.update', ({ reachoutTimeLock: lock }) => {
      if (lock !== undefined) this.#restrictedUntil = lock.isActive ? lock.timeEnforcementEnds : undefined
    })
    return connection
  }

  /** The session's row, if it is still ours. */
  async #record(): Promise<StoredSession | undefined> {
    const { records, tenantId, token, fenced } = this.#options
    const record = await records.get(tenantId)
    if (record?.ownerToken === token) return record
    fenced()
    return undefined
  }

  #changed(connection: Connection): void {
    const { state } = this.#options
    state.phoneJid = connection.phoneJid
    if (connection.isOpen) this.#opened.happened()
    // Not at `open`: whoever is told "connected" sends what waited, and a send that comes too early waits a minute.
    if (connection.canSend) void state.report({ state: 'connected' })
    else if (connection.shown !== undefined) void state.reportPairing(connection.shown)
  }

  /** As `#answer`, through a database that is away: a logout, for one, must not be forgotten because of it. */
  async #answerSurely(end: ConnectionEnd, before: Failures, stop: AbortSignal): Promise<Failures | 'stay down'> {
    for (;;) {
      try {
        return await this.#answer(end, before, stop)
      } catch (error) {
        if (error instanceof FencedError) {
          this.#options.fenced()
          return 'stay down'
        }
        if (stop.aborted) return 'stay down'
        this.#options.logger.error({ err: error }, 'the end of a socket could not be dealt with; trying again')
        await sleep(ANSWER_AGAIN_MS, stop)
      }
    }
  }

  /** Acts on the end of a socket. Gives the failures so far, this one included. */
  async #answer(end: ConnectionEnd, before: Failures, stop: AbortSignal): Promise<Failures | 'stay down'> {
    const { auth, state, settings, random, now, logger, fenced } = this.#options
    if (end.storeError instanceof FencedError) {
      fenced()
      return 'stay down'
    }
    const answer = answerTo(end, before, settings.reconnectBaseMs, random)
    const reason = reasonOf(end, answer)
    const line = { code: end.code, attempt: before.attempts, delay: answer.delayMs, err: end.storeError }
    if (answer.alarm || end.storeError !== undefined) logger.error(line, reason)
    else logger.info(line, reason)

    if (answer.action === 'retry' && answer.delayMs === 0) return before // a restart that WhatsApp asked for is no failure
    const code = end.code === undefined ? {} : { code: end.code }
    if (answer.action === 'logged_out') {
      await auth.archive(now())
      state.phoneJid = undefined
      await state.report({ state: 'logged_out', reason, ...code })
      return 'stay down'
    }
    await state.report({ state: 'disconnected', reason, ...code })
    if (answer.action === 'stop') return 'stay down'
    await sleep(answer.delayMs, stop)
    return failedAgain(before, end)
  }
}

const codeWish = ({ desiredPhone, desiredPhoneUntil }: StoredSession): CodeWish | undefined =>
  desiredPhone == null ? undefined : { phone: desiredPhone, until: desiredPhoneUntil ?? 0 }

function reasonOf({ storeError }: ConnectionEnd, answer: Answer): string {
  if (storeError === undefined) return answer.reason
  return storeError instanceof StoreUnavailableError
    ? 'The database could not be reached; connecting again when it answers.'
    : 'The gateway ended the connection after an error of its own; connecting again.'
}

/** WhatsApp's own request for a new socket, after a pairing. */
const RESTART_ASKED = 515
const ANSWER_AGAIN_MS = 5_000
