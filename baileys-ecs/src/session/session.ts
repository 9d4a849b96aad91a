import type { SendCommand, SendResult, SessionStatus } from '@kesher/contracts'
import { within } from '../concurrency/sleep.js'
import type { Logger } from '../observability/logger.js'
import { OwnWrites } from '../sending/own-writes.js'
import { Pace } from '../sending/pace.js'
import { notOwner, unavailable } from '../sending/results.js'
import { Sender } from '../sending/sender.js'
import { AddressBookStore } from '../store/address-book.js'
import { AuthState } from '../store/auth-state.js'
import { LeaseLostError } from '../store/errors.js'
import { NewChatLog } from '../store/new-chats.js'
import { SentLog } from '../store/sent-log.js'
import type { StoredSession } from '../store/session-records.js'
import { FencedWriter } from '../store/writer.js'
import type { Vitals } from './census.js'
import type { SessionDependencies } from './dependencies.js'
import { Inbox } from './inbox.js'
import { isPaired, type Shown } from './pairing.js'
import { isResting, ReportedState } from './reported-state.js'
import { Upkeep } from './upkeep.js'

/**
 * One tenant's number, from the claim of its row until it is fenced or the process ends.
 *
 * Its parts: the upkeep of a socket while `run` is wanted, the sender that sends through it, and the inbox, which is
 * forwarded whether or not a socket is open.
 */
export class Session {
  readonly tenantId: string
  readonly token: number
  readonly #deps: SessionDependencies
  readonly #writer: FencedWriter
  readonly #auth: AuthState
  readonly #inbox: Inbox
  readonly #upkeep: Upkeep
  readonly #sender: Sender
  readonly #state: ReportedState
  readonly #logger: Logger
  #fenced = false
  /** Sends without acknowledgement since the last one that got it. */
  #unacknowledged = 0

  constructor(deps: SessionDependencies, claimed: StoredSession) {
    const { table, bucket, settings, now, monotonic, random, counters } = deps
    const { tenantId } = claimed
    const logger = deps.logger.child({ tenant: tenantId })
    const writer = new FencedWriter(table, tenantId, claimed.ownerToken ?? 0)
    const auth = new AuthState(table, writer)
    const sent = new SentLog(table, writer)
    const ownWrites = new OwnWrites(monotonic)
    const fenced = (): void => { this.fence() }
    this.#deps = deps
    this.tenantId = tenantId
    this.token = writer.token
    this.#logger = logger
    this.#writer = writer
    this.#auth = auth
    this.#inbox = new Inbox({ ...deps, tenantId, writer, sent, ownWrites, connection: signal => this.#upkeep.openConnection(signal), logger })
    this.#state = new ReportedState({
      writer, clock: this.#inbox.clock, now, logger, journalled: row => { this.#inbox.journalled([row]) }, fenced,
    }, claimed)
    this.#upkeep = new Upkeep({
      ...deps, tenantId, token: this.token, writer, auth, sent, book: new AddressBookStore(table, writer), ownWrites, inbox: this.#inbox, state: this.#state, fenced, logger,
    })
    this.#sender = new Sender({
      sent, bucket, pace: new Pace({
        messagesAMinute: settings.messagesAMinute, newChatsADay: settings.newChatsADay, newChats: new NewChatLog(table, tenantId), monotonic, now,
      }),
      ownWrites, gaveWay: () => { void this.#inbox.recheckOwnWrites() }, composingMs: settings.composingMs, random,
      deadlineMs: settings.sendDeadlineMs, ackProbeMs: settings.ackProbeMs, now, monotonic, logger, counters,
      connection: () => this.canSend ? this.#upkeep.connection : undefined,
      restrictedUntil: () => this.#upkeep.restrictedUntil,
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
    return this.#upkeep.isRunning
  }

  /** Nothing to connect with until a person asks: logged out, or banned. */
  get isResting(): boolean {
    return !this.isRunning && isResting(this.#state.known)
  }

  get isConnected(): boolean {
    return this.#upkeep.connection?.isOpen === true
  }

  get canSend(): boolean {
    return this.#upkeep.connection?.canSend === true
  }

  get activeSends(): number {
    return this.#sender.active
  }

  /** What the phone can be linked with now. */
  get shown(): Shown | undefined {
    return this.#upkeep.connection?.shown
  }

  /** Asks for a code to be typed on this phone, instead of QR codes. @returns false if nothing can be linked now */
  async askForCode(phone: string): Promise<boolean> {
    return await this.#upkeep.connection?.askForCode(phone) === true
  }

  status(): SessionStatus {
    const answeredAt = this.#upkeep.connection?.answeredAt
    const { restrictedUntil } = this.#upkeep
    return {
      tenantId: this.tenantId,
      ...this.#state.known,
      connected: this.isConnected,
      canSend: this.canSend,
      ...(answeredAt === undefined ? {} : { answeredAt }),
      ...(restrictedUntil === undefined ? {} : { restrictedUntil: restrictedUntil.getTime() }),
      ...(this.#state.phoneJid === undefined ? {} : { phoneJid: this.#state.phoneJid }),
    }
  }

  vitals(): Vitals {
    return {
      tenantId: this.tenantId, state: this.#state.known.state, canSend: this.canSend, paired: this.#state.phoneJid !== undefined, resting: this.isResting,
      answerAgeMs: this.#upkeep.connection?.answerAgeMs, unacknowledged: this.#unacknowledged,
    }
  }

  /** Reads where the journal stands and begins to forward it. */
  async open(): Promise<void> {
    await this.#inbox.open()
  }

  /** Keeps a socket from now on. @param generation the `desiredGeneration` that this acts on */
  run(generation: number): void {
    if (this.isRunning || this.#fenced) return
    this.#state.generation = generation
    this.#upkeep.start()
  }

  /** Ends the socket; the journal goes on being forwarded. @param drainMs time for sends under way */
  async pause(reason: string, drainMs: number): Promise<void> {
    await this.#drain(drainMs)
    await this.#hangUp()
    if (!this.#fenced) await this.#state.report({ state: 'disconnected', reason })
  }

  /** Ends everything here, in good order, and frees the row for the next owner. */
  async handOver(reason: string, drainMs: number): Promise<void> {
    const wasRunning = this.isRunning
    await this.#drain(drainMs)
    await Promise.all([this.#hangUp(), this.close()]) // from here on customers wait for the next owner
    if (this.#fenced) return
    if (wasRunning && !this.isResting) await this.#state.release({ state: 'disconnected', reason })
    else await this.#deps.records.release(this.tenantId, this.token)
  }

  /** Takes nothing more, neither from WhatsApp nor to be sent, and finishes what is half done. */
  async #drain(ms: number): Promise<void> {
    const { connection } = this.#upkeep
    this.#upkeep.stop()
    if (connection !== undefined) await within(Promise.all([connection.stopIntake(), this.#sender.drain(ms)]), ms, undefined)
  }

  async #hangUp(): Promise<void> {
    this.#upkeep.connection?.close()
    await this.#upkeep.stopped()
    await this.#writer.idle()
  }

  /** Unlinks the device on the phone, as the operator asked, and puts the auth state aside. */
  async unlink(): Promise<void> {
    const paired = isPaired(await this.#auth.loadCreds())
    // The phone learns it only from a session.
    if (paired && !this.isConnected && !this.#fenced) await this.#upkeep.startAndOpen(this.#deps.settings.connectTimeoutMs)
    const { connection } = this.#upkeep
    this.#upkeep.stop()
    const told = connection?.isOpen === true && await within(connection.socket.logout().then(() => true), LOGOUT_MS, false)
    await this.pause(UNLINKED, 0)
    await this.#auth.archive(this.#deps.now())
    this.#state.phoneJid = undefined
    await this.#state.report({ state: 'logged_out', reason: told || !paired ? UNLINKED : UNLINKED_HERE_ONLY })
  }

  /** Writes the state again if the database could not be written when it changed. */
  async ensureReported(): Promise<void> {
    if (!this.#fenced) await this.#state.ensureReported()
  }

  /** Stops forwarding; what is in the journal stays there. */
  async close(): Promise<void> {
    await within(this.#inbox.close(), CLOSE_MS, undefined)
  }

  async send(command: SendCommand): Promise<SendResult> {
    if (this.#fenced || command.ownerToken !== this.token) return notOwner(command.messageId)
    if (this.#upkeep.isStopping) return unavailable(command.messageId, 'The session is being stopped; nothing was sent.')
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
    this.#upkeep.stop()
    this.#upkeep.connection?.terminate(new LeaseLostError(this.tenantId)) // what is on the wire may arrive: such a send is unknown
    void this.#inbox.close()
  }
}

/** Time for deliveries under way at the end; one that is cut off is made again by the next owner, who waits for this one. */
const CLOSE_MS = 1_000
const LOGOUT_MS = 5_000
const UNLINKED = 'The device was unlinked on request.'
const UNLINKED_HERE_ONLY = 'The device was unlinked on request, but WhatsApp could not be told: remove it on the phone, under linked devices, too.'
