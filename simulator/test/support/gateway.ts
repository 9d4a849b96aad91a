import { after } from 'node:test'
import makeWASocket, {
  type AuthenticationState, BufferJSON, type ConnectionState, type SignalDataSet, type SignalDataTypeMap, type UserFacingSocketConfig,
  type WAMessage, type WASocket, initAuthCreds, proto,
} from '@whiskeysockets/baileys'
import pino from 'pino'
import type { Business, Simulator } from '../../src/index.js'
import { silenceConsole } from '../../src/index.js'
import { eventually } from './eventually.js'

silenceConsole()

// Timers of Baileys (of up to two minutes) outlive its sockets; the results are reported long before this second is over.
after(() => { setTimeout(() => process.exit(), 1_000) })

/** Credentials and keys in memory, serialised as a database would. */
function memoryAuth(): AuthenticationState {
  const stored = new Map<string, string>()
  return {
    creds: initAuthCreds(),
    keys: {
      get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found: Record<string, SignalDataTypeMap[T]> = {}
        for (const id of ids) {
          const json = stored.get(`${type}:${id}`)
          if (json === undefined) continue
          const value: unknown = JSON.parse(json, BufferJSON.reviver)
          found[id] = (type === 'app-state-sync-key'
            ? proto.Message.AppStateSyncKeyData.fromObject(value as object)
            : value) as SignalDataTypeMap[T]
        }
        return found
      },
      set: (data: SignalDataSet) => {
        for (const [type, values] of Object.entries(data)) {
          for (const [id, value] of Object.entries(values as Record<string, unknown>)) {
            if (value === null || value === undefined) stored.delete(`${type}:${id}`)
            else stored.set(`${type}:${id}`, JSON.stringify(value, BufferJSON.replacer))
          }
        }
      },
    },
  }
}

export interface Received {
  /** `notify` for live messages, `append` for those that waited. */
  readonly type: string
  readonly message: WAMessage
}

/** The real Baileys with its state in memory, and what it said. */
export class Gateway {
  readonly auth = memoryAuth()
  socket!: WASocket
  readonly received: Received[] = []
  /** Message id -> the statuses that Baileys reported (0: error, 3: delivered, 4: read). */
  readonly #statuses = new Map<string, number[]>()
  readonly updates: Partial<ConnectionState>[] = []
  readonly sent = new Map<string, proto.IMessage>()

  constructor(readonly simulator: Simulator, readonly options: Partial<UserFacingSocketConfig> = {}) {}

  /** Opens a socket and returns at once. */
  connect(): this {
    this.updates.length = 0
    this.socket = makeWASocket({
      waWebSocketUrl: this.simulator.waUrl,
      auth: this.auth,
      logger: pino({ level: 'silent' }),
      markOnlineOnConnect: false,
      syncFullHistory: false,
      generateHighQualityLinkPreview: false,
      getMessage: ({ id }) => Promise.resolve(this.sent.get(id ?? '')),
      ...this.options,
    })
    this.socket.ev.on('creds.update', update => { Object.assign(this.auth.creds, update) })
    this.socket.ev.on('connection.update', update => { this.updates.push(update) })
    this.socket.ev.on('messages.upsert', ({ messages, type }) => {
      this.received.push(...messages.map(message => ({ type, message })))
      // A receipt that comes while Baileys still buffers the echo of our own message is folded into the echo.
      for (const { key, status } of messages) if (key.fromMe) this.#note(key.id, status)
    })
    this.socket.ev.on('messages.update', changes => {
      for (const { key, update } of changes) this.#note(key.id, update.status)
    })
    return this
  }

  async pair(business: Business): Promise<this> {
    this.connect()
    business.scan(await this.qr())
    await this.closed()
    await this.open()
    // Until the history sync has come Baileys takes every login for the first, and waits 20 seconds for it.
    await eventually('the history sync', () => this.auth.creds.accountSyncCounter > 0)
    return this
  }

  qr(): Promise<string> {
    return eventually('a QR code', () => this.updates.find(({ qr }) => qr !== undefined)?.qr)
  }

  async open(): Promise<this> {
    this.connect()
    await eventually('an open connection', () => this.updates.some(({ connection }) => connection === 'open'))
    await eventually('the offline backlog', () => this.updates.some(update => update.receivedPendingNotifications))
    return this
  }

  /** @returns the status code with which the connection closed. */
  closed(): Promise<number> {
    return eventually('a closed connection', () => {
      const closed = this.updates.find(({ connection }) => connection === 'close')
      const error = closed?.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined
      return closed && (error?.output?.statusCode ?? -1)
    })
  }

  /** @returns the message's id, once it was written to the socket. */
  async say(jid: string, text: string, messageId?: string): Promise<string> {
    const sent = await this.socket.sendMessage(jid, { text }, messageId === undefined ? {} : { messageId })
    const id = sent?.key.id ?? ''
    if (sent?.message) this.sent.set(id, sent.message)
    return id
  }

  /** The message with these words, once it came. */
  hears(text: string): Promise<Received> {
    return eventually(`"${text}"`, () => this.received.find(({ message }) => wordsOf(message) === text))
  }

  statusesOf(id: string): readonly number[] {
    return this.#statuses.get(id) ?? []
  }

  async stop(): Promise<void> {
    await this.socket.end(undefined)
  }

  #note(id: string | null | undefined, status: number | null | undefined): void {
    if (typeof id === 'string' && typeof status === 'number') this.#statuses.set(id, [...this.statusesOf(id), status])
  }
}

export const wordsOf = ({ message }: WAMessage): string | null | undefined =>
  message?.conversation ?? message?.extendedTextMessage?.text
