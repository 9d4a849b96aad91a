import { jidDecode, proto, type WASocket } from '@whiskeysockets/baileys'
import type { Refused, SendCommand, Superseded, Unavailable } from '@kesher/contracts'
import type { Random } from '../concurrency/backoff.js'
import { deferred } from '../concurrency/deferred.js'
import { within } from '../concurrency/sleep.js'
import type { Logger } from '../observability/logger.js'
import type { Connection } from '../session/connection.js'
import { otherNameOf } from '../session/names.js'
import type { MediaBucket } from '../store/media.js'
import type { SentLog, SentMessage } from '../store/sent-log.js'
import { composingMs } from './composing.js'
import { composed, ownNameIn, typedCharacters } from './content.js'
import { fileOf } from './files.js'
import type { OwnWrites } from './own-writes.js'
import type { Pace, Permit } from './pace.js'
import { refusal, RESTRICTED } from './refusals.js'
import { paced, superseded, unavailable } from './results.js'

export interface RelayOptions {
  readonly sent: SentLog
  readonly ownWrites: OwnWrites
  /** Called when a message gave way to the business's phone. */
  readonly gaveWay: () => void
  /** "Typing ..." before a long answer; 0: never. */
  readonly composingMs: number
  /** Of a whole send; at most half of it may be spent on composing. */
  readonly deadlineMs: number
  readonly pace: Pace
  /** Until when WhatsApp lets the number begin no new chats. */
  readonly restrictedUntil: () => Date | undefined
  readonly bucket: MediaBucket | undefined
  readonly random: Random
  readonly now: () => number
  readonly logger: Logger
}

/** A send under way, as far as it concerns its way to the wire. */
export interface Attempt {
  readonly command: SendCommand
  /** When the command arrived, on the monotonic clock. */
  readonly cameIn: number
  /** Its time is over, whatever is still under way. */
  readonly over: () => boolean
  readonly expired: Promise<unknown>
}

/** A message in Baileys' hands. */
export interface Relay {
  readonly connection: Connection
  /** Resolves only if Baileys could not send. */
  readonly failure: Promise<Error>
}

/** Takes messages up to the wire, and remembers those that Baileys has not finished: they are never begun twice. */
export class Relays {
  readonly #options: RelayOptions
  readonly #open = new Map<string, Relay>()
  /** Messages being made, although their send may be past its deadline: an upload goes on, and is not begun twice. */
  readonly #making = new Map<string, Promise<proto.IMessage>>()

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /**
   * Prepares the message, records it, shows "typing ..." meanwhile, and hands it to Baileys; or says why nothing was sent.
   * An earlier attempt that still lies in Baileys is joined: a second relay would double the stanza.
   */
  async begin(connection: Connection, attempt: Attempt, before: SentMessage | undefined): Promise<Relay | Unavailable | Superseded | Refused> {
    const { messageId, chatJid } = attempt.command
    const earlier = this.#open.get(messageId)
    if (earlier?.connection === connection) return earlier
    const { socket } = connection
    const other = await otherNameOf(socket, chatJid)
    const names = other === undefined ? [chatJid] : [chatJid, other]
    if (this.#givesWay(attempt, names)) return superseded(messageId)
    const isNewChat = before === undefined && await isStranger(socket, names)
    const until = isNewChat ? this.#options.restrictedUntil() : undefined
    // Each attempt makes the restriction worse (Baileys #2688), so none is made. What WhatsApp itself takes for a new chat, it refuses.
    if (until !== undefined) return refusal(messageId, RESTRICTED, until)
    const permit = await this.#options.pace.ask(attempt.command.author, isNewChat)
    if ('retryAfterMs' in permit) return paced(messageId, permit)

    const done = await this.#prepared(connection, attempt, before, permit)
      .then(ready => 'outcome' in ready ? ready : this.#stillWanted(connection, attempt, names) ?? ready)
      .catch((error: unknown) => { permit.giveBack(); throw error })
    if ('outcome' in done) {
      permit.giveBack()
      return done
    }
    return this.#relay(connection, chatJid, messageId, done.message)
  }

  #relay(connection: Connection, chatJid: string, messageId: string, message: proto.IMessage): Relay {
    const failure = deferred<Error>()
    const relay: Relay = { connection, failure: failure.promise }
    this.#open.set(messageId, relay)
    connection.socket.relayMessage(chatJid, message, { messageId })
      .catch((error: unknown) => { failure.resolve(error instanceof Error ? error : new Error('Baileys could not send', { cause: error })) })
      .finally(() => { if (this.#open.get(messageId) === relay) this.#open.delete(messageId) })
    return relay
  }

  #givesWay({ command, cameIn }: Attempt, names: readonly string[]): boolean {
    const { ownWrites, gaveWay } = this.#options
    const yes = command.author === 'assistant' && ownWrites.supersede(names, cameIn)
    if (yes) gaveWay()
    return yes
  }

  /** Why it must not go out any more, at the last moment before it does. */
  #stillWanted(connection: Connection, attempt: Attempt, names: readonly string[]): Unavailable | Superseded | undefined {
    const { messageId } = attempt.command
    if (attempt.over()) return unavailable(messageId, 'The time for this send was over before it began; nothing was sent.')
    if (connection.isOver) return unavailable(messageId, 'The connection was lost; nothing was sent.')
    return this.#givesWay(attempt, names) ? superseded(messageId) : undefined
  }

  async #prepared(
    connection: Connection, attempt: Attempt, before: SentMessage | undefined, permit: Permit,
  ): Promise<{ readonly message: proto.IMessage } | Unavailable> {
    const { command } = attempt
    const { socket } = connection
    const { messageId, chatJid } = command
    const me = socket.user
    if (me === undefined) return unavailable(messageId, 'The session is not logged in; nothing was sent.')
    if (before === undefined) this.#read(connection, command)
    const composing = this.#compose(connection, attempt)

    // The very query that `relayMessage` makes, answered by the same cache. When it times out in there, Baileys sends a
    // stanza for nobody, and the server may well acknowledge that.
    const ownName = ownNameIn(chatJid, me)
    const [devices, message] = await Promise.all([
      socket.getUSyncDevices([ownName, chatJid], true, false),
      before === undefined ? this.#made(socket, command, ownName, permit) : proto.Message.decode(before.content), // an id carries the same bytes
    ])
    await composing
    const recipient = jidDecode(chatJid)?.user
    if (!devices.some(({ jid }) => jidDecode(jid)?.user === recipient)) {
      return unavailable(messageId, 'WhatsApp names no device of this contact at the moment; nothing was sent.')
    }
    return { message }
  }

  #made(socket: WASocket, command: SendCommand, ownName: string, permit: Permit): Promise<proto.IMessage> {
    const { messageId } = command
    const making = this.#making.get(messageId) ?? this.#make(socket, command, ownName, permit).finally(() => { this.#making.delete(messageId) })
    this.#making.set(messageId, making)
    return making
  }

  async #make(socket: WASocket, command: SendCommand, ownName: string, permit: Permit): Promise<proto.IMessage> {
    const { sent, now, logger, bucket } = this.#options
    const { messageId, chatJid, correlationId } = command
    const message = await composed(command, ownName, { upload: socket.waUploadToServer, file: content => fileOf(content, bucket), logger })
    const record = { messageId, chatJid, correlationId, content: proto.Message.encode(message).finish(), createdAt: now() }
    await sent.record(record, permit.writes())
    return message
  }

  /** Shows "typing ..." as long as a person would need; a person's own message waits for nothing. */
  async #compose(connection: Connection, { command, expired }: Attempt): Promise<void> {
    const { content, author, chatJid, answeredAt } = command
    if (author !== 'assistant' || content.kind === 'reaction') return
    const { now, random, composingMs: mostMs, deadlineMs } = this.#options
    const waitedMs = answeredAt == null ? 0 : now() - answeredAt
    const ms = Math.min(deadlineMs / 2, composingMs(typedCharacters(content), waitedMs, mostMs, random))
    if (ms === 0) return
    show(connection.socket, chatJid, 'composing')
    const ended = deferred<unknown>()
    const forget = connection.onEnd(ended.resolve)
    await within(Promise.race([expired, ended.promise]), ms, undefined)
    forget()
    show(connection.socket, chatJid, 'paused')
  }

  /** Marks what this message answers as read: the customer sees blue ticks, then "typing ...". */
  #read({ socket }: Connection, { chatJid, answers = [] }: SendCommand): void {
    if (answers.length === 0) return
    socket.readMessages(answers.map(id => ({ remoteJid: chatJid, id, fromMe: false }))).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'messages could not be marked as read')
    })
  }
}

/** Not awaited: no message depends on it. */
function show(socket: WASocket, chatJid: string, state: 'composing' | 'paused'): void {
  socket.sendPresenceUpdate(state, chatJid).catch(() => undefined)
}

/** Whether neither side has ever written to the other: then there is no Signal session, by either name. */
async function isStranger({ authState, signalRepository }: WASocket, names: readonly string[]): Promise<boolean> {
  const addresses = names.map(name => signalRepository.jidToSignalProtocolAddress(name))
  const sessions = await authState.keys.get('session', addresses)
  return addresses.every(address => sessions[address] === undefined)
}
