import { generateWAMessage, isLidUser, jidDecode, jidNormalizedUser, proto } from '@whiskeysockets/baileys'
import type { NotOwner, SendCommand, SendResult, Unavailable, Unknown } from '@kesher/contracts'
import { KeyedQueues } from '../concurrency/serial-queue.js'
import { deferred } from '../concurrency/deferred.js'
import { within } from '../concurrency/sleep.js'
import type { Counters } from '../observability/counters.js'
import { baileysLogger, type Logger } from '../observability/logger.js'
import { chatRef } from '../observability/redact.js'
import type { Ack } from '../session/acks.js'
import type { Connection } from '../session/connection.js'
import { FencedError } from '../store/errors.js'
import type { SentLog, SentMessage } from '../store/sent-log.js'
import { refusal } from './refusals.js'

export interface SenderOptions {
  readonly sent: SentLog
  /** The socket to send through, or `undefined` while it cannot. */
  readonly connection: () => Connection | undefined
  readonly restrictedUntil: () => Date | undefined
  readonly deadlineMs: number
  /** Time without acknowledgement after which the connection is doubted. */
  readonly ackProbeMs: number
  readonly now: () => number
  readonly logger: Logger
  readonly counters: Counters
}

const RETRY_AFTER_MS = 5_000

/** How far a send has come; decides whether "nothing was sent" may be claimed when time runs out. */
interface Progress {
  begun: boolean
  over: boolean
  /** Resolves at the deadline, with the answer that is true then. */
  readonly expired: Promise<SendResult>
}

interface Relay {
  readonly connection: Connection
  /** Resolves only if Baileys could not send. */
  readonly failure: Promise<Error>
}

/**
 * Sends messages of one number: idempotent by id, in order within a chat, "sent" only on the server's acknowledgement.
 *
 * `sendMessage` of Baileys resolves when the stanza is written to the socket, which says nothing: with a frozen peer
 * eleven sends "succeeded" in a minute.
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #active = new Map<string, Promise<SendResult>>()
  readonly #chats = new KeyedQueues()
  /** Relays that Baileys has not finished, although their send may be past its deadline: never begun twice. */
  readonly #relays = new Map<string, Relay>()

  constructor(options: SenderOptions) {
    this.#options = options
  }

  get active(): number {
    return this.#active.size
  }

  /** Resolves when no send is under way, or after `ms`. */
  async drain(ms: number): Promise<void> {
    await within(Promise.allSettled(this.#active.values()), ms, undefined)
  }

  /** A second call with the id of one under way gets the same answer. */
  async send(command: SendCommand): Promise<SendResult> {
    const active = this.#active.get(command.messageId)
    if (active !== undefined) return active
    const sending = this.#timed(command)
    this.#active.set(command.messageId, sending)
    try {
      return await sending
    } finally {
      this.#active.delete(command.messageId)
    }
  }

  async #timed(command: SendCommand): Promise<SendResult> {
    const { logger, now, deadlineMs, counters } = this.#options
    const { messageId, correlationId } = command
    const started = now()
    const expired = deferred<SendResult>()
    const progress: Progress = { begun: false, over: false, expired: expired.promise }
    const timer = setTimeout(() => {
      logger.warn({ correlationId, messageId }, `Send timeout after ${Math.round(deadlineMs / 1000)}s`)
      expired.resolve(progress.begun
        ? unknown(messageId, 'WhatsApp did not acknowledge the message in time; it may or may not arrive.')
        : unavailable(messageId, 'Earlier messages of this chat were still waiting; nothing was sent.'))
    }, deadlineMs)
    try {
      const result = await Promise.race([
        expired.promise,
        this.#chats.run(command.chatJid, () => Promise.race([expired.promise, this.#attempt(command, progress)])),
      ])
      const line = { correlationId, messageId, chat: chatRef(command.chatJid), outcome: result.outcome, duration: now() - started }
      if (result.outcome === 'sent') {
        counters.add('sendsAcknowledged')
        logger.info(line, `[BAILEYS] send finished successfully, duration=${line.duration} ms`)
      } else {
        if (result.outcome === 'unknown') counters.add('sendsUnknown')
        if (result.outcome === 'refused') counters.add('sendsRefused')
        logger.warn({ ...line, reason: result.reason }, '[BAILEYS] send not confirmed')
      }
      return result
    } finally {
      progress.over = true
      clearTimeout(timer)
    }
  }

  async #attempt(command: SendCommand, progress: Progress): Promise<SendResult> {
    const { sent, connection: current, restrictedUntil } = this.#options
    const { messageId } = command
    try {
      if (progress.over) return unavailable(messageId, 'The time for this send is over; nothing was sent.')
      const before = await sent.get(messageId)
      if (before?.acknowledgedAt !== undefined) return { outcome: 'sent', messageId, acknowledgedAt: before.acknowledgedAt }
      if (before?.refusedCode !== undefined) return refusal(messageId, before.refusedCode, restrictedUntil())
      if (command.content.kind !== 'text') {
        return { outcome: 'refused', messageId, code: 'unsupported_content', reason: 'This gateway sends texts only.', permanent: true }
      }
      const connection = current()
      if (connection === undefined) return unavailable(messageId, 'The session is not connected at the moment; nothing was sent.')
      return await this.#relayAndWait(connection, command, before, progress)
    } catch (error) {
      if (error instanceof FencedError) return notOwner(messageId)
      if (progress.begun) return unknown(messageId, 'The send failed on its way; it may or may not arrive.')
      this.#options.logger.error({ messageId, err: error }, 'a send could not be prepared')
      return unavailable(messageId, 'The send could not be prepared; nothing was sent.')
    }
  }

  async #relayAndWait(
    connection: Connection, command: SendCommand, before: SentMessage | undefined, progress: Progress,
  ): Promise<SendResult> {
    const { messageId } = command
    const waiting = connection.acks.wait(messageId)
    let watchdog: NodeJS.Timeout | undefined
    try {
      // A relay of an earlier attempt that still lies in Baileys is joined: a second one would double the stanza.
      const earlier = this.#relays.get(messageId)
      const relay = earlier?.connection === connection ? earlier : await this.#begin(connection, command, before, progress)
      if ('outcome' in relay) return relay
      progress.begun = true
      const written = this.#options.now()
      watchdog = setTimeout(() => { connection.doubt() }, this.#options.ackProbeMs)
      // At the deadline the waiting ends here too: an acknowledgement after that is a late one, told by an event.
      const first = await Promise.race([waiting.ack, relay.failure, connection.ended, progress.expired])
      if ('outcome' in first) return first
      if ('kind' in first) {
        this.#options.counters.acknowledgedAfter(this.#options.now() - written)
        return await this.#acknowledged(messageId, first)
      }
      if (first instanceof Error && !connection.isOver) {
        this.#options.logger.error({ messageId, err: first }, 'Baileys could not send a message')
        return unknown(messageId, 'The send failed on its way; it may or may not arrive.')
      }
      const { storeError } = await connection.ended
      if (storeError instanceof FencedError) return notOwner(messageId)
      return unknown(messageId, 'The connection was lost before WhatsApp acknowledged the message.')
    } finally {
      clearTimeout(watchdog)
      waiting.release()
    }
  }

  /** Prepares the message, records it and hands it to Baileys; or says why nothing was sent. */
  async #begin(
    connection: Connection, command: SendCommand, before: SentMessage | undefined, progress: Progress,
  ): Promise<Relay | Unavailable> {
    const { sent, now, logger } = this.#options
    const { messageId, chatJid, correlationId, content } = command
    const text = content.kind === 'text' ? content.text : ''
    const { socket } = connection
    const me = socket.user
    if (me === undefined) return unavailable(messageId, 'The session is not logged in; nothing was sent.')

    // When the device query times out, Baileys sends a stanza for nobody, and the server may well acknowledge that.
    const ownName = jidNormalizedUser(isLidUser(chatJid) ? me.lid ?? me.id : me.id)
    const devices = await socket.getUSyncDevices([ownName, chatJid], true, false)
    const recipient = jidDecode(chatJid)?.user
    if (!devices.some(({ jid }) => jidDecode(jid)?.user === recipient)) {
      return unavailable(messageId, 'WhatsApp names no device of this contact at the moment; nothing was sent.')
    }

    let message: proto.IMessage
    if (before === undefined) {
      const generated = await generateWAMessage(chatJid, { text, linkPreview: null }, {
        userJid: me.id, messageId, logger: baileysLogger(logger), upload: () => Promise.reject(new Error('a text has nothing to upload')),
      })
      message = generated.message ?? {}
      await sent.record({ messageId, chatJid, correlationId, content: proto.Message.encode(message).finish(), createdAt: now() })
    } else {
      message = proto.Message.decode(before.content) // a repeat of an id carries the same bytes
    }
    if (progress.over) return unavailable(messageId, 'The time for this send was over before it began; nothing was sent.')
    if (connection.isOver) return unavailable(messageId, 'The connection was lost; nothing was sent.')

    const failure = deferred<Error>()
    const relay: Relay = { connection, failure: failure.promise }
    this.#relays.set(messageId, relay)
    socket.relayMessage(chatJid, message, { messageId })
      .catch((error: unknown) => { failure.resolve(error instanceof Error ? error : new Error('Baileys could not send', { cause: error })) })
      .finally(() => { if (this.#relays.get(messageId) === relay) this.#relays.delete(messageId) })
    return relay
  }

  async #acknowledged(messageId: string, ack: Ack): Promise<SendResult> {
    const { sent, logger, restrictedUntil } = this.#options
    const note = async (fact: Parameters<SentLog['note']>[1]): Promise<void> => {
      try {
        await sent.note(messageId, fact)
      } catch (error) {
        logger.error({ messageId, err: error }, 'an acknowledgement could not be noted; a repeat of this id would be sent again')
      }
    }
    if (ack.kind === 'accepted') {
      void note({ acknowledgedAt: ack.at })
      return { outcome: 'sent', messageId, acknowledgedAt: ack.at }
    }
    const refused = refusal(messageId, ack.code, restrictedUntil())
    if (refused.permanent) await note({ refusedCode: ack.code }) // before anybody can ask again
    return refused
  }
}

export function unavailable(messageId: string, reason: string): Unavailable {
  return { outcome: 'unavailable', messageId, reason, retryAfterMs: RETRY_AFTER_MS }
}

export function notOwner(messageId: string): NotOwner {
  return { outcome: 'not_owner', messageId, reason: 'Another container owns this session now; look its address up again. Nothing was sent.' }
}

function unknown(messageId: string, reason: string): Unknown {
  return { outcome: 'unknown', messageId, reason }
}
