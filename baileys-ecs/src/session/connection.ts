import { jidNormalizedUser, proto, S_WHATSAPP_NET, type BinaryNode, type ConnectionState, type WASocket } from '@whiskeysockets/baileys'
import type { Random } from '../concurrency/backoff.js'
import { Backpressure } from '../concurrency/backpressure.js'
import { deferred } from '../concurrency/deferred.js'
import type { AddressBook } from '../contacts/address-book.js'
import { followContacts } from '../contacts/follow.js'
import type { Logger } from '../observability/logger.js'
import { statusCodeOf } from '../observability/redact.js'
import type { AddressBookStore } from '../store/address-book.js'
import type { AuthState } from '../store/auth-state.js'
import type { SentLog } from '../store/sent-log.js'
import type { JournalRow } from '../journal/row.js'
import { AckWaiters, readAck, type Ack } from './acks.js'
import { Intake, type IntakeOptions } from './intake.js'
import { otherNameOf } from './names.js'
import { isPaired, Pairing, type CodeWish, type PairingEnd, type Shown } from './pairing.js'
import { isAnswer, Pulse } from './pulse.js'
import { openSocket, webSocketOf, type SocketOptions } from './socket.js'

export interface ConnectionOptions extends Omit<IntakeOptions, 'me' | 'otherName' | 'failed' | 'pressure'>, Omit<SocketOptions, 'keys' | 'getMessage' | 'ratchet'> {
  readonly auth: AuthState
  readonly connectTimeoutMs: number
  readonly codeWish: CodeWish | undefined
  readonly codeMs: number
  readonly silenceMs: number
  readonly probeMs: number
  readonly monotonic: () => number
  readonly sent: SentLog
  readonly book: AddressBookStore
  readonly random: Random
  readonly journalled: (rows: readonly JournalRow[]) => void
  /** An acknowledgement that no send is waiting for any more. */
  readonly lateAck: (messageId: string, ack: Ack) => Promise<void>
  readonly changed: (connection: Connection) => void
  readonly logger: Logger
}

/** Why a socket ended. `storeError`: it was ended by us, because something could not be stored. */
export interface ConnectionEnd {
  readonly code: number | undefined
  readonly paired: boolean
  readonly openForMs: number
  /** If it was not paired. */
  readonly pairing?: PairingEnd
  readonly storeError?: unknown
}

/** A send in the instant of `open` races the migration of sessions to LIDs. */
const SETTLE_MS = 1_000
/** A stale retry receipt must not bring an old message to life (Evolution #2707). */
const RETRY_MAX_AGE_MS = 15 * 60_000
/** Stanzas of one number that are being handled or wait for it; what comes beyond that waits in TCP, at WhatsApp. */
const MOST_IN_HAND = 500

/** One Baileys socket, from its start to its end. It never comes back: a new one takes its place. */
export class Connection {
  readonly acks = new AckWaiters()
  readonly socket: WASocket
  readonly ended: Promise<ConnectionEnd>
  readonly #endListeners = new Set<(end: ConnectionEnd) => void>()
  readonly #options: ConnectionOptions
  readonly #intake: Intake
  readonly #keys: ReturnType<AuthState['openKeys']>
  readonly #resolveEnded: (end: ConnectionEnd) => void
  readonly #watchdog: NodeJS.Timeout
  readonly #pulse: Pulse
  readonly #pressure: Backpressure
  readonly #book: AddressBook
  #settling: NodeJS.Timeout | undefined
  readonly #pairing: Pairing
  #openedAt: number | undefined
  #offlineDone = false
  #settled = false
  #over = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { promise, resolve } = deferred<ConnectionEnd>()
    this.ended = promise
    this.#resolveEnded = resolve
    this.#keys = options.auth.openKeys({ failed: error => { this.terminate(error) }, journalled: options.journalled })
    this.#pressure = new Backpressure({
      high: MOST_IN_HAND, low: MOST_IN_HAND - 100,
      pause: () => {
        options.logger.debug('too much from WhatsApp is in hand; nothing more is read for the moment')
        this.#pulse.rest()
        webSocketOf(this.socket)?.pause()
      },
      resume: () => {
        webSocketOf(this.socket)?.resume()
        this.#pulse.wake()
      },
    })
    this.#intake = new Intake({
      ...options, pressure: this.#pressure, me: () => options.creds.me, otherName: jid => otherNameOf(this.socket, jid),
      failed: error => { this.terminate(error) },
    })
    this.#pulse = new Pulse({
      silenceMs: options.silenceMs, probeMs: options.probeMs, monotonic: options.monotonic,
      probe: () => { this.#ping() },
      silent: () => {
        options.logger.warn('WhatsApp answers nothing any more; the socket is ended')
        this.#end(408)
      },
    })
    this.#pairing = new Pairing({
      wish: options.codeWish, qrMs: options.qrMs, codeMs: options.codeMs, now: options.now,
      changed: () => { options.changed(this) },
      over: code => { if (!isPaired(options.creds)) this.#end(code) },
    })
    this.socket = openSocket({
      ...options, keys: this.#keys, getMessage: id => this.#retriedMessage(id),
      ratchet: {
        rowsOf: (ciphertext, plaintext) => this.#intake.rowsOf(ciphertext, plaintext),
        // After the end of the socket nothing is acknowledged: what failed because of it comes again.
        unreadable: async (ciphertext, error) => { if (!this.#over) await this.#intake.unreadable(ciphertext, error) },
      },
    })
    this.#intake.attach(this.socket.ws)
    this.#book = followContacts({ ...options, socket: this.socket, keys: this.#keys, failed: error => { this.terminate(error) } })
    this.#listen()
    // An HTTP error in answer to the WebSocket upgrade leaves Baileys "connecting" for ever, without an event.
    this.#watchdog = setTimeout(() => {
      if (this.#openedAt !== undefined || this.#pairing.shown !== undefined) return
      options.logger.warn('WhatsApp did not open the connection in time')
      this.#end(408)
    }, options.connectTimeoutMs)
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined && !this.#over
  }

  get canSend(): boolean {
    return this.isOpen && this.#settled && this.#pulse.isFresh
  }

  /** When WhatsApp's server last answered something of ours, Unix milliseconds. */
  get answeredAt(): number | undefined {
    const age = this.answerAgeMs
    return age === undefined ? undefined : Math.round(this.#options.now() - age)
  }

  get answerAgeMs(): number | undefined {
    return this.#over ? undefined : this.#pulse.ageMs
  }

  get isOver(): boolean {
    return this.#over
  }

  /** What the phone can be linked with now. */
  get shown(): Shown | undefined {
    return this.#over || isPaired(this.#options.creds) ? undefined : this.#pairing.shown
  }

  get phoneJid(): string | undefined {
    const { creds } = this.#options
    return creds.me === undefined || !isPaired(creds) ? undefined : jidNormalizedUser(creds.me.id)
  }

  /** Asks for a code to be typed on this phone, instead of QR codes. @returns false if nothing can be linked now */
  async askForCode(phone: string): Promise<boolean> {
    return !this.#over && !isPaired(this.#options.creds) && await this.#pairing.ask(phone)
  }

  /**
   * As `ended`, for those who come and go: a promise would keep each of them until the socket ends.
   *
   * @returns unsubscribes
   */
  onEnd(listener: (end: ConnectionEnd) => void): () => void {
    if (this.#over) void this.ended.then(listener)
    else this.#endListeners.add(listener)
    return () => { this.#endListeners.delete(listener) }
  }

  /** Something that we sent stays unanswered: asks whether the server still hears us, and ends the socket if not. */
  doubt(): void {
    if (this.isOpen) this.#pulse.doubt()
  }

  /** Ends the socket at once because of a failed read or write, before Baileys learns of it: nothing is nacked. */
  terminate(storeError: unknown): void {
    this.#end(undefined, storeError)
  }

  /** Takes nothing more from WhatsApp; what is half done is finished. Sending still works. */
  async stopIntake(): Promise<void> {
    await this.#intake.close()
  }

  close(): void {
    this.#end(undefined)
  }

  #listen(): void {
    const { auth, creds, now, lateAck } = this.#options
    const { ev, ws } = this.socket
    ev.on('creds.update', () => { // Baileys has merged the update by now
      if (!isPaired(creds)) return // a number that only asked for a code must not try to log in at the next start
      auth.saveCreds(creds).catch((error: unknown) => { this.terminate(error) })
    })
    ev.on('messages.upsert', ({ messages, type }) => { void this.#intake.upserted(messages, type === 'append') })
    ev.on('connection.update', update => { this.#updated(update) })
    ws.on('frame', (node: BinaryNode) => {
      if (isAnswer(node)) this.#pulse.heard()
      this.#pairing.heard(node)
    })
    ws.on('CB:ack,class:message', ({ attrs }: { attrs: Record<string, string> }) => {
      const ack = readAck(attrs, now())
      const id = attrs['id'] ?? ''
      if (!this.acks.settle(id, ack)) this.#pressure.track(lateAck(id, ack))
    })
  }

  #updated({ connection, qr, receivedPendingNotifications, lastDisconnect }: Partial<ConnectionState>): void {
    const { now, changed } = this.#options
    if (qr !== undefined) this.#pairing.offered(this.socket, qr)
    if (receivedPendingNotifications === true) this.#offlineDone = true
    if (connection === 'open') {
      this.#openedAt = now()
      this.#pulse.heard()
      changed(this)
    }
    if (connection === 'close') this.#end(statusCodeOf(lastDisconnect?.error))
    if (this.isOpen && this.#offlineDone && this.#settling === undefined) {
      this.#settling = setTimeout(() => {
        this.#settled = true
        changed(this)
        this.#book.look() // what changed while nobody was connected, or was told and then lost in a crash
      }, SETTLE_MS)
    }
  }

  #ping(): void {
    const id = this.socket.generateMessageTag()
    const ping: BinaryNode = { tag: 'iq', attrs: { id, to: S_WHATSAPP_NET, type: 'get', xmlns: 'w:p' }, content: [{ tag: 'ping', attrs: {} }] }
    this.socket.sendNode(ping).catch(() => undefined) // an unwritable socket answers nothing either
  }

  async #retriedMessage(id: string): Promise<proto.IMessage | undefined> {
    // By id alone: a retry receipt may come from the other one of a person's two addresses.
    const sent = await this.#options.sent.get(id)
    if (sent === undefined || this.#options.now() - sent.createdAt > RETRY_MAX_AGE_MS) return undefined
    return proto.Message.decode(sent.content)
  }

  #end(code: number | undefined, storeError?: unknown): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#watchdog)
    clearTimeout(this.#settling)
    this.#pulse.stop()
    this.#pairing.stop()
    const paired = isPaired(this.#options.creds)
    const pairing = paired ? undefined : this.#pairing.end
    const openForMs = this.#openedAt === undefined ? 0 : this.#options.now() - this.#openedAt
    this.#keys.close()
    this.#book.close()
    void this.#intake.close()
    // Baileys' own `end` waits for the peer's closing frame, up to 30 s with a frozen one, and what is still in the send
    // buffer would go out.
    webSocketOf(this.socket)?.terminate()
    void this.socket.end(undefined)
    const end: ConnectionEnd = { code, paired, openForMs, ...(pairing === undefined ? {} : { pairing }), ...(storeError === undefined ? {} : { storeError }) }
    this.#resolveEnded(end)
    for (const listener of this.#endListeners) listener(end)
    this.#endListeners.clear()
  }
}
