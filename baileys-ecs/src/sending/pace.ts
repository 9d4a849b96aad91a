import type { SendCommand } from '@kesher/contracts'
import type { NewChatLog } from '../store/new-chats.js'
import type { Write } from '../store/writer.js'

/** What one number may send. 3 messages a second, or 400 new chats in two hours, got numbers banned (operators' reports). */
export interface PaceLimits {
  readonly messagesAMinute: number
  readonly newChatsADay: number
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** A person knows what they do; only a script in a person's name is held back. */
const PERSONS_FACTOR = 3

/** When something happened, as far back as `spanMs`. Times in milliseconds on the caller's clock. */
export class SlidingWindow {
  readonly #spanMs: number
  #times: number[]

  constructor(spanMs: number, times: readonly number[] = []) {
    this.#spanMs = spanMs
    this.#times = [...times]
  }

  /** How long until one more fits under `limit`; 0 if it does now. */
  waitMs(limit: number, now: number): number {
    this.#times = this.#times.filter(time => time > now - this.#spanMs)
    const inTheWay = this.#times[this.#times.length - limit]
    return inTheWay === undefined ? 0 : inTheWay + this.#spanMs - now
  }

  add(now: number): void {
    this.#times.push(now)
  }

  remove(time: number): void {
    const at = this.#times.lastIndexOf(time)
    if (at >= 0) this.#times.splice(at, 1)
  }

  get times(): readonly number[] {
    return this.#times
  }
}

/** Leave to send one message. */
export interface Permit {
  /** To be stored together with the record of the message. */
  readonly writes: () => readonly Write[]
  /** It was not sent after all. */
  readonly giveBack: () => void
}

/** The limit that holds a message back, in a person's words, and when it ends. */
export interface Wait {
  readonly reason: string
  readonly retryAfterMs: number
}

export interface PaceOptions extends PaceLimits {
  readonly newChats: NewChatLog
  readonly monotonic: () => number
  readonly now: () => number
}

/** Keeps one number under its limits. The minute is counted in memory; the day survives a restart. */
export class Pace {
  readonly #options: PaceOptions
  readonly #minute = new SlidingWindow(MINUTE)
  #day: Promise<SlidingWindow> | undefined

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** @param isNewChat neither side has ever written to the other */
  async ask(author: SendCommand['author'], isNewChat: boolean): Promise<Permit | Wait> {
    const { messagesAMinute, newChatsADay, monotonic, now, newChats } = this.#options
    const day = isNewChat ? await this.#loaded() : undefined
    const at = monotonic()
    const today = now()
    const minuteMs = this.#minute.waitMs(author === 'person' ? PERSONS_FACTOR * messagesAMinute : messagesAMinute, at)
    if (minuteMs > 0) return { reason: `This number has sent as many messages as it may in a minute (${messagesAMinute}); nothing was sent yet.`, retryAfterMs: Math.ceil(minuteMs) }
    const dayMs = day?.waitMs(newChatsADay, today) ?? 0
    if (dayMs > 0) return { reason: `This number has begun as many new chats as it may in a day (${newChatsADay}); nothing was sent yet.`, retryAfterMs: dayMs }
    this.#minute.add(at)
    day?.add(today)
    return {
      writes: () => day === undefined ? [] : [newChats.write(day.times, now())],
      giveBack: () => {
        this.#minute.remove(at)
        day?.remove(today)
      },
    }
  }

  async #loaded(): Promise<SlidingWindow> {
    this.#day ??= this.#options.newChats.read().then(times => new SlidingWindow(DAY, times))
    try {
      return await this.#day
    } catch (error) {
      this.#day = undefined // asked again next time
      throw error
    }
  }
}
