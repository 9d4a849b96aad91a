import { jidNormalizedUser, type WAVersion } from '@whiskeysockets/baileys'
import type { SendCommand, SendResult, SessionStatus } from '@kesher/contracts'
import type { Spacing } from '../concurrency/spacing.js'
import { sleep, within } from '../concurrency/sleep.js'
import type { Random } from '../concurrency/backoff.js'
import { Forwarder } from '../journal/forwarder.js'
import { messageStatus } from '../journal/receipts.js'
import { JournalClock, statusRow, type JournalRow } from '../journal/row.js'
import { fileKeeper } from '../media/keeper.js'
import type { MediaShelf } from '../media/shelf.js'
import type { Counters } from '../observability/counters.js'
import type { Logger } from '../observability/logger.js'
import { Pace } from '../sending/pace.js'
import { OwnWrites } from '../sending/own-writes.js'
import { notOwner, unavailable } from '../sending/results.js'
import { Sender } from '../sending/sender.js'
import type { Settings } from '../settings.js'
import { AuthState } from '../store/auth-state.js'
import type { Table } from '../store/dynamo.js'
import { FencedError, LeaseLostError, StoreUnavailableError } from '../store/errors.js'
import { journalItem, JournalStore } from '../store/journal.js'
import { SentLog } from '../store/sent-log.js'
import type { LiveSettings } from '../store/live-settings.js'
import type { MediaBucket } from '../store/media.js'
import { NewChatLog } from '../store/new-chats.js'
import type { SessionRecords, StoredSession } from '../store/session-records.js'
import { FencedWriter } from '../store/writer.js'
import type { Deliver } from '../webhook/client.js'
import type { Ack } from './acks.js'
import type { Vitals } from './census.js'
import { BUILT_IN, raised } from './client-version.js'
import { Connection, type ConnectionEnd } from './connection.js'
import { answerTo, failedAgain, HEALTHY_MS, NO_FAILURES, RESTING_CODES, type Answer, type Failures } from './disconnects.js'
import { isPaired, type CodeWish, type Shown } from './pairing.js'
import { ReportedState, type State } from './reported-state.js'
import { retryCounters } from './retry-counters.js'

export interface SessionDependencies {
  readonly table: Table
  readonly records: SessionRecords
  readonly deliver: Deliver
  readonly settings: Settings
  readonly random: Random
  readonly now: () => number
  readonly logger: Logger
  readonly counters: Counters
  readonly monotonic: () => number
  readonly live: LiveSettings
  readonly shelf: MediaShelf
  /** Where files to be sent lie; without one none can be sent. */
  readonly bucket: MediaBucket | undefined
  /** The turns in which this process opens sockets. */
  readonly starts: Spacing
}

/**
 * One tenant's number, from the claim of its row until it is fenced or the process ends.
 *
 * It keeps a socket while `run` is wanted, sends through it, and forwards the journal whether or not a socket is open.
 */
export class Session {
  readonly tenantId: string
  readonly token: number
  readonly #deps: SessionDependencies
  readonly #writer: FencedWriter
  readonly #auth: AuthState
  readonly #sent: SentLog
  readonly #journal: JournalStore
  readonly #forwarder: Forwarder
  readonly #sender: Sender
  readonly #ownWrites: OwnWrites
  readonly #clock: JournalClock
  readonly #logger: Logger
  readonly #retryCounters = retryCounters()
  readonly #state: ReportedState
  #connection: Connection | undefined
  #restrictedUntil: Date | undefined
  /** Raised to end the socket and whatever waits for the next one. */
  #pause = new AbortController()
  #running: Promise<void> | undefined
  #fenced = false
  #leaving = false
  #onOpen: (() => void) | undefined
  /** Sends without acknowledgement since the last one that got it. */
  #unacknowledged = 0

  constructor(deps: SessionDependencies, claimed: StoredSession) {
    const { table, settings, now, monotonic, random, counters } = deps
    this.#deps = deps
    this.tenantId = claimed.tenantId
    this.token = claimed.ownerToken ?? 0
    this.#logger = deps.logger.child({ tenant: this.tenantId })
    this.#clock = new JournalClock(now)
    this.#writer = new FencedWriter(table, this.tenantId, this.token)
    this.#auth = new AuthState(table, this.#writer)
    this.#sent = new SentLog(table, this.#writer)
    this.#journal = new JournalStore(table, this.tenantId)
    this.#ownWrites = new OwnWrites(monotonic)
    const initial = stateFrom(claimed)
    this.#state = new ReportedState(
      {
        writer: this.#writer, clock: this.#clock, now, logger: this.#logger,
        journalled: row => { this.#forwarder.offer(row) },
        fenced: () => { this.fence() },
      },
      initial, claimed.generation ?? 0, claimed.state === undefined || claimed.state === initial.state,
    )
    this.#forwarder = new Forwarder({
      tenantId: this.tenantId, journal: this.#journal, deliver: deps.deliver, isOwnEcho: row => this.#isOwnEcho(row),
      settled: row => { this.#ownWrites.forwarded(row) },
      storeFile: fileKeeper({
        tenantId: this.tenantId, shelf: deps.shelf, isOwnEcho: row => this.#isOwnEcho(row),
        socket: () => this.#connection?.isOpen === true ? this.#connection.socket : undefined,
      }),
      concurrency: settings.webhookConcurrency, random, now, logger: this.#logger, counters,
    })
    this.#sender = new Sender({
      sent: this.#sent, bucket: deps.bucket, pace: new Pace({
        messagesAMinute: settings.messagesAMinute, newChatsADay: settings.newChatsADay, newChats: new NewChatLog(table, this.tenantId), monotonic, now,
      }),
      ownWrites: this.#ownWrites, gaveWay: () => { void this.#recheckOwnWrites() }, composingMs: settings.composingMs, random,
      deadlineMs: settings.sendDeadlineMs, ackProbeMs: settings.ackProbeMs, now, monotonic, logger: this.#logger, counters,
      connection: () => this.#connection?.canSend === true ? this.#connection : undefined,
      restrictedUntil: () => this.#restrictedUntil,
    })
  }

  get generation(): number {
    return this.#state.generation
  }

  /** True once another process has claimed the session. */
  get isFenced(): boolean {
    return this.#fenced
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Nothing to connect with until a person asks: logged out, or banned. */
  get isResting(): boolean {
    return this.#running === undefined && isResting(this.#state.known)
  }

  get isConnected(): boolean {
    return this.#connection?.isOpen === true
  }

  get canSend(): boolean {
    return this.#connection?.canSend === true
  }

  get activeSends(): number {
    return this.#sender.active
  }

  /** What the phone can be linked with now. */
  get shown(): Shown | undefined {
    return this.#connection?.shown
  }

  /** Asks for a code to be typed on this phone, instead of QR codes. @returns false if nothing can be linked now */
  async askForCode(phone: string): Promise<boolean> {
    return await this.#connection?.askForCode(phone) === true
  }

  status(): SessionStatus {
    return {
      tenantId: this.tenantId,
      ...this.#state.known,
      connected: this.isConnected,
      canSend: this.canSend,
      ...(this.#connection?.answeredAt === undefined ? {} : { answeredAt: this.#connection.answeredAt }),
      ...(this.#state.phoneJid === undefined ? {} : { phoneJid: this.#state.phoneJid }),
    }
  }

  vitals(): Vitals {
    return {
      tenantId: this.tenantId, state: this.#state.known.state, canSend: this.canSend, paired: this.#state.phoneJid !== undefined, resting: this.isResting,
      answerAgeMs: this.#connection?.answerAgeMs, unacknowledged: this.#unacknowledged,
    }
  }

  /** Reads where the journal stands and begins to forward it. */
  async open(): Promise<void> {
    const newest = await this.#journal.newestKey()
    if (newest !== undefined) {
      this.#clock.continueAfter(newest)
      for await (const row of this.#journal.ownMessages()) this.#ownWrites.journalled(row)
    }
    this.#forwarder.start()
  }

  /** Keeps a socket from now on. @param generation the `desiredGeneration` that this acts on */
  run(generation: number): void {
    if (this.#running !== undefined || this.#fenced) return
    this.#state.generation = generation
    this.#pause = new AbortController()
    this.#running = this.#keepConnected(this.#pause.signal)
      .catch((error: unknown) => { this.#logger.fatal({ err: error }, 'a session broke down'); throw error })
      .finally(() => { this.#running = undefined })
  }

  /** The process is leaving: sends under way are finished, others are told to come again. */
  takeNoMoreSends(): void {
    this.#leaving = true
  }

  /** Ends the socket; the journal goes on being forwarded. @param drainMs time for sends under way */
  async pause(reason: string, drainMs: number): Promise<void> {
    const connection = this.#connection
    this.#pause.abort()
    if (connection !== undefined) {
      await within(Promise.all([connection.stopIntake(), this.#sender.drain(drainMs)]), drainMs, undefined)
      connection.close()
    }
    await this.#running
    await this.#writer.idle()
    if (!this.#fenced) await this.#state.report({ state: 'disconnected', reason })
  }

  /** Unlinks the device on the phone, as the operator asked, and puts the auth state aside. */
  async unlink(): Promise<void> {
    const { connectTimeoutMs } = this.#deps.settings
    const paired = isPaired(await this.#auth.loadCreds())
    if (paired && !this.isConnected) await this.#connectOnceMore(connectTimeoutMs) // the phone learns it only from a session
    const connection = this.#connection
    this.#pause.abort()
    const told = connection?.isOpen === true && await within(connection.socket.logout().then(() => true), LOGOUT_MS, false)
    await this.pause(UNLINKED, 0)
    await this.#auth.archive(this.#deps.now())
    this.#state.phoneJid = undefined
    await this.#state.report({ state: 'logged_out', reason: told || !paired ? UNLINKED : UNLINKED_HERE_ONLY })
  }

  async #connectOnceMore(ms: number): Promise<void> {
    const opened = new Promise<void>(resolve => { this.#onOpen = resolve })
    this.run(this.#state.generation)
    await within(Promise.race([opened, this.#running]), ms, undefined)
    this.#onOpen = undefined
  }

  /** Writes the state again if the database could not be written when it changed. */
  async ensureReported(): Promise<void> {
    if (!this.#fenced) await this.#state.ensureReported()
  }

  /** Stops forwarding; what is in the journal stays there. */
  async close(): Promise<void> {
    await within(this.#forwarder.stop(), CLOSE_MS, undefined)
  }

  async send(command: SendCommand): Promise<SendResult> {
    if (this.#fenced || command.ownerToken !== this.token) return notOwner(command.messageId)
    if (this.#leaving || this.#pause.signal.aborted) return unavailable(command.messageId, 'The session is being stopped; nothing was sent.')
    const result = await this.#sender.send(command)
    if (result.outcome === 'unknown') this.#unacknowledged += 1
    else if (result.outcome === 'sent' || result.outcome === 'refused') this.#unacknowledged = 0 // WhatsApp answered
    return result
  }

  /** This process is not the owner any more, or may not be: be silent at once. */
  fence(reason = 'Another container owns this session now.'): void {
    if (this.#fenced) return
    this.#fenced = true
    this.#state.assume({ state: 'disconnected', reason })
    this.#logger.warn({ token: this.token }, `fenced: ${reason}`)
    this.#pause.abort()
    this.#connection?.terminate(new LeaseLostError(this.tenantId)) // what is on the wire may arrive: such a send is unknown
    void this.#forwarder.stop()
  }

  async #keepConnected(stop: AbortSignal): Promise<void> {
    let failures: Failures | 'stay down' = NO_FAILURES
    while (failures !== 'stay down') {
      const end = await this.#once(stop)
      if (end === undefined || stop.aborted) return
      if (end.code !== RESTART_ASKED) this.#deps.counters.add('reconnects')
      failures = await this.#answerSurely(end, end.openForMs >= HEALTHY_MS ? NO_FAILURES : failures, stop)
    }
  }

  /** One socket, from its start to its end. */
  async #once(stop: AbortSignal): Promise<ConnectionEnd | undefined> {
    const { settings, now, monotonic, counters, starts } = this.#deps
    try {
      const record = await this.#record()
      if (record === undefined) return undefined // a fenced owner's login would throw the new owner's socket out
      const creds = await this.#auth.loadCreds()
      if (!isPaired(creds)) await this.#auth.archive(now()) // what an interrupted archive left behind
      await this.#state.report({ state: 'connecting' })
      const version = await this.#version()
      await starts.turn(stop)
      if (stop.aborted) return undefined
      if (creds.me !== undefined && isPaired(creds)) this.#state.phoneJid = jidNormalizedUser(creds.me.id)
      const connection = new Connection({
        tenantId: this.tenantId, auth: this.#auth, creds, sent: this.#sent, ownWrites: this.#ownWrites, clock: this.#clock, now, counters, logger: this.#logger,
        waWebSocketUrl: settings.waWebSocketUrl, connectTimeoutMs: settings.connectTimeoutMs, silenceMs: settings.silenceMs,
        codeWish: codeWish(record), qrMs: settings.qrMs, codeMs: settings.pairingCodeMs,
        probeMs: settings.probeMs, monotonic, version, retryCounters: this.#retryCounters,
        append: rows => this.#append(rows),
        journalled: rows => { this.#journalled(rows) },
        lateAck: (id, ack) => this.#lateAck(id, ack),
        changed: changed => { this.#changed(changed) },
      })
      this.#connection = connection
      connection.socket.ev.on('connection.update', ({ reachoutTimeLock: lock }) => {
        if (lock !== undefined) this.#restrictedUntil = lock.isActive ? lock.timeEnforcementEnds : undefined
      })
      const end = await connection.ended
      counters.add('socketsEnded')
      await this.#writer.idle() // the credentials of a pairing, for one
      this.#connection = undefined
      return end
    } catch (error) {
      if (error instanceof FencedError) {
        this.fence()
        return undefined
      }
      return { code: undefined, paired: true, openForMs: 0, storeError: error }
    }
  }

  /** As `#answer`, through a database that is away: a logout, for one, must not be forgotten because of it. */
  async #answerSurely(end: ConnectionEnd, before: Failures, stop: AbortSignal): Promise<Failures | 'stay down'> {
    for (;;) {
      try {
        return await this.#answer(end, before, stop)
      } catch (error) {
        if (error instanceof FencedError) this.fence()
        if (this.#fenced || stop.aborted) return 'stay down'
        this.#logger.error({ err: error }, 'the end of a socket could not be dealt with; trying again')
        await sleep(ANSWER_AGAIN_MS, stop)
      }
    }
  }

  /** Acts on the end of a socket. Gives the failures so far, this one included. */
  async #answer(end: ConnectionEnd, before: Failures, stop: AbortSignal): Promise<Failures | 'stay down'> {
    const { settings, random, now } = this.#deps
    if (end.storeError instanceof FencedError) {
      this.fence()
      return 'stay down'
    }
    const answer = answerTo(end, before, settings.reconnectBaseMs, random)
    const reason = reasonOf(end, answer)
    const line = { code: end.code, attempt: before.attempts, delay: answer.delayMs, err: end.storeError }
    if (answer.alarm || end.storeError !== undefined) this.#logger.error(line, reason)
    else this.#logger.info(line, reason)

    if (answer.action === 'retry' && answer.delayMs === 0) return before // a restart that WhatsApp asked for is no failure
    const code = end.code === undefined ? {} : { code: end.code }
    if (answer.action === 'logged_out') {
      await this.#auth.archive(now())
      this.#state.phoneJid = undefined
      await this.#state.report({ state: 'logged_out', reason, ...code })
      return 'stay down'
    }
    await this.#state.report({ state: 'disconnected', reason, ...code })
    if (answer.action === 'stop') return 'stay down'
    await sleep(answer.delayMs, stop)
    return failedAgain(before, end)
  }

  /** The session's row, if it is still ours. */
  async #record(): Promise<StoredSession | undefined> {
    const record = await this.#deps.records.get(this.tenantId)
    if (record?.ownerToken === this.token) return record
    this.fence()
    return undefined
  }

  async #version(): Promise<WAVersion> {
    const asked = await this.#deps.live.clientVersion()
    const version = asked === undefined ? BUILT_IN : raised(asked)
    if (version === undefined) this.#logger.error({ asked }, 'the setting CLIENT_VERSION is no version, for example 2.3000.1043857760; it is ignored')
    if (version !== undefined && version !== BUILT_IN) this.#logger.info({ version: version.join('.') }, 'logging in with a raised client version')
    return version ?? BUILT_IN
  }

  #changed(connection: Connection): void {
    this.#state.phoneJid = connection.phoneJid
    if (connection.isOpen) this.#onOpen?.()
    // Not at `open`: whoever is told "connected" sends what waited, and a send that comes too early waits a minute.
    if (connection.canSend) void this.#state.report({ state: 'connected' })
    else if (connection.shown !== undefined) void this.#state.reportPairing(connection.shown)
  }

  async #append(rows: readonly JournalRow[]): Promise<void> {
    await this.#writer.write(rows.map(row => ({ put: journalItem(this.tenantId, row) })))
    this.#journalled(rows)
  }

  #journalled(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      this.#ownWrites.journalled(row)
      this.#forwarder.offer(row)
      if (row.kind !== 'message') continue
      this.#deps.counters.add('messagesJournalled')
      this.#logger.info({ correlationId: row.attrs['id'], fromMe: row.fromMe, backlog: row.backlog }, '[WA-INCOMING] message journalled')
    }
  }

  /** An acknowledgement after its send was called unknown: the webhook learns it as an event. */
  async #lateAck(messageId: string, ack: Ack): Promise<void> {
    let correlationId: string | undefined
    try {
      const sent = await this.#sent.get(messageId)
      correlationId = sent?.correlationId
      if (sent === undefined || sent.acknowledgedAt !== undefined) return
      if (ack.kind === 'refused') {
        await this.#sent.note(messageId, { refusedCode: ack.code })
        return
      }
      await this.#sent.note(messageId, { acknowledgedAt: ack.at })
      await this.#append([statusRow(messageStatus(this.tenantId, sent, 'sent', ack.at), this.#clock.next())])
    } catch (error) {
      this.#logger.error({ err: error, correlationId, messageId }, 'a late acknowledgement could not be stored; a repeat of the send will ask again')
    }
  }

  /** An owner before us may have forwarded what we read from the journal, or a person removed it. */
  async #recheckOwnWrites(): Promise<void> {
    const awaited = this.#ownWrites.awaited
    if (awaited.length === 0) return
    try {
      const waiting = new Set<string | undefined>()
      for await (const { attrs } of this.#journal.ownMessages()) waiting.add(attrs['id'])
      for (const id of awaited) if (!waiting.has(id)) this.#ownWrites.settled(id)
    } catch (error) {
      this.#logger.warn({ err: error }, 'the journal cannot be read; the assistant keeps silent where the phone wrote')
    }
  }

  async #isOwnEcho(row: JournalRow): Promise<boolean> {
    return row.kind === 'message' && row.fromMe && await this.#sent.get(row.attrs['id'] ?? '') !== undefined
  }
}

/** The state as the last owner left it, as far as it outlives its socket. */
function stateFrom({ state, code, reason }: StoredSession): State {
  const known = { ...(code == null ? {} : { code }), ...(reason == null ? {} : { reason }) }
  if (state === 'logged_out') return { reason: LOGGED_OUT, ...known, state }
  return state === 'disconnected' ? { ...known, state } : { state: 'disconnected' }
}

const isResting = ({ state, code }: State): boolean =>
  state === 'logged_out' || (state === 'disconnected' && code != null && RESTING_CODES.has(code))

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
/** Time for deliveries under way at the end; one that is cut off is made again by the next owner, who waits for this one. */
const CLOSE_MS = 1_000
const LOGOUT_MS = 5_000
const LOGGED_OUT = 'The device was unlinked on the phone, or its keys are no longer valid. Ask for a new QR code to link it again.'
const UNLINKED = 'The device was unlinked on request.'
const UNLINKED_HERE_ONLY = 'The device was unlinked on request, but WhatsApp could not be told: remove it on the phone, under linked devices, too.'
