import type { SendCommand, SendResult } from '@kesher/contracts'
import { KeyedQueues } from '../concurrency/serial-queue.js'
import { deferred } from '../concurrency/deferred.js'
import { within } from '../concurrency/sleep.js'
import type { Counters } from '../observability/counters.js'
import { chatRef } from '../observability/redact.js'
import type { Ack } from '../session/acks.js'
import type { Connection, ConnectionEnd } from '../session/connection.js'
import { FencedError } from '../store/errors.js'
import type { SentLog, SentMessage } from '../store/sent-log.js'
import { UnsendableError } from './files.js'
import { refusal, RESTRICTED } from './refusals.js'
import { Relays, type RelayOptions } from './relays.js'
import { notOwner, unavailable, unknown, unsendable } from './results.js'

export interface SenderOptions extends RelayOptions {
  /** The socket to send through, or `undefined` while it cannot. */
  readonly connection: () => Connection | undefined
  /** Time without acknowledgement after which the connection is doubted. */
  readonly ackProbeMs: number
  readonly monotonic: () => number
  readonly counters: Counters
}

const RESTRICTION_MS = 3_000

/** How far a send has come; decides whether "nothing was sent" may be claimed when time runs out. */
interface Progress {
  /** When the command arrived, on the monotonic clock. */
  readonly cameIn: number
  begun: boolean
  over: boolean
  /** Resolves at the deadline, with the answer that is true then. */
  readonly expired: Promise<SendResult>
}

/** Far more than a number can send within the deadline of a send. */
const MOST_SENDS = 200

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
  readonly #relays: Relays

  constructor(options: SenderOptions) {
    this.#options = options
    this.#relays = new Relays(options)
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
    if (this.#active.size >= MOST_SENDS) return unavailable(command.messageId, 'Too many messages of this number are on their way; nothing was sent.')
    const sending = this.#timed(command)
    this.#active.set(command.messageId, sending)
    try {
      return await sending
    } finally {
      this.#active.delete(command.messageId)
    }
  }

  async #timed(command: SendCommand): Promise<SendResult> {
    const { logger, now, monotonic, deadlineMs, counters } = this.#options
    const { messageId, correlationId } = command
    const started = now()
    const expired = deferred<SendResult>()
    const progress: Progress = { cameIn: monotonic(), begun: false, over: false, expired: expired.promise }
    const timer = setTimeout(() => {
      logger.warn({ correlationId, messageId }, `Send timeout after ${Math.round(deadlineMs / 1000)}s`)
      expired.resolve(progress.begun
        ? unknown(messageId, 'WhatsApp did not acknowledge the message in time; it may or may not arrive.')
        : unavailable(messageId, 'The message, or earlier ones of this chat, took too long to prepare; nothing was sent.'))
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
      const connection = current()
      if (connection === undefined) return unavailable(messageId, 'The session is not connected at the moment; nothing was sent.')
      return await this.#relayAndWait(connection, command, before, progress)
    } catch (error) {
      if (error instanceof FencedError) return notOwner(messageId)
      if (error instanceof UnsendableError) return unsendable(messageId, error.message)
      if (progress.begun) return unknown(messageId, 'The send failed on its way; it may or may not arrive.')
      this.#options.logger.error({ correlationId: command.correlationId, messageId, err: error }, 'a send could not be prepared')
      return unavailable(messageId, 'The send could not be prepared; nothing was sent.')
    }
  }

  async #relayAndWait(
    connection: Connection, command: SendCommand, before: SentMessage | undefined, progress: Progress,
  ): Promise<SendResult> {
    const { messageId } = command
    const waiting = connection.acks.wait(messageId)
    const ended = deferred<ConnectionEnd>()
    const forget = connection.onEnd(ended.resolve)
    let watchdog: NodeJS.Timeout | undefined
    try {
      const { cameIn, expired } = progress
      const relay = await this.#relays.begin(connection, { command, cameIn, expired, over: () => progress.over }, before)
      if ('outcome' in relay) return relay
      progress.begun = true
      const written = this.#options.now()
      watchdog = setTimeout(() => { connection.doubt() }, this.#options.ackProbeMs)
      // At the deadline the waiting ends here too: an acknowledgement after that is a late one, told by an event.
      const first = await Promise.race([waiting.ack, relay.failure, ended.promise, expired])
      if ('outcome' in first) return first
      if ('kind' in first) {
        this.#options.counters.acknowledgedAfter(this.#options.now() - written)
        return await this.#acknowledged(command, first, connection)
      }
      if (first instanceof Error && !connection.isOver) {
        this.#options.logger.error({ correlationId: command.correlationId, messageId, err: first }, 'Baileys could not send a message')
        return unknown(messageId, 'The send failed on its way; it may or may not arrive.')
      }
      const { storeError } = await ended.promise
      if (storeError instanceof FencedError) return notOwner(messageId)
      return unknown(messageId, 'The connection was lost before WhatsApp acknowledged the message.')
    } finally {
      clearTimeout(watchdog)
      forget()
      waiting.release()
    }
  }

  async #acknowledged({ messageId, correlationId }: SendCommand, ack: Ack, connection: Connection): Promise<SendResult> {
    const { sent, logger } = this.#options
    const note = async (fact: Parameters<SentLog['note']>[1]): Promise<void> => {
      try {
        await sent.note(messageId, fact)
      } catch (error) {
        logger.error({ correlationId, messageId, err: error }, 'an acknowledgement could not be noted; a repeat of this id would be sent again')
      }
    }
    if (ack.kind === 'accepted') {
      void note({ acknowledgedAt: ack.at })
      return { outcome: 'sent', messageId, acknowledgedAt: ack.at }
    }
    const refused = refusal(messageId, ack.code)
    if (refused.permanent) await note({ refusedCode: ack.code }) // before anybody can ask again
    return ack.code === RESTRICTED ? refusal(messageId, ack.code, await this.#restriction(connection)) : refused
  }

  /** Until when WhatsApp restricts the number. The acknowledgement does not say it, and Baileys does not ask by itself. */
  async #restriction({ socket }: Connection): Promise<Date | undefined> {
    const { restrictedUntil, now, logger } = this.#options
    const known = restrictedUntil()
    if (known !== undefined && known.getTime() > now()) return known
    const asked = socket.fetchAccountReachoutTimelock().catch((error: unknown) => {
      logger.warn({ err: error }, 'WhatsApp does not tell until when the number is restricted')
      return undefined
    })
    return (await within(asked, RESTRICTION_MS, undefined))?.timeEnforcementEnds
  }
}
