/** How a session ends, and the right answer to each. Codes are Baileys' (`lastDisconnect.error.output.statusCode`). */
import { backoffDelay, type Random } from '../concurrency/backoff.js'
import type { PairingEnd } from './pairing.js'

export interface End {
  /** Status code of the end; `undefined` if Baileys gave none. */
  readonly code: number | undefined
  /** Whether the number was paired when the socket ended. */
  readonly paired: boolean
  /** What the phone could be linked with at the end, if it was not paired. */
  readonly pairing?: PairingEnd
  /** How long the socket was open; 0: it never was. */
  readonly openForMs: number
}

/** Ends since the session was last healthy. */
export interface Failures {
  readonly attempts: number
  /** Those after the login had succeeded: nothing outside forbids the connection, and still it does not last. */
  readonly falls: number
}

export const NO_FAILURES: Failures = { attempts: 0, falls: 0 }

export interface Answer {
  /** `retry`: connect again after `delayMs`. `logged_out`: the auth state is dead. `stop`: until a person asks again. */
  readonly action: 'retry' | 'logged_out' | 'stop'
  readonly delayMs: number
  /** For a person: what happened and what to do. */
  readonly reason: string
  /** Worth waking somebody. */
  readonly alarm: boolean
}

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** What WhatsApp says to a request for a pairing code that it does not grant. */
const REFUSED_CODES: readonly number[] = [400, 404, 406, 429]

/** Ends after which nothing is tried until a person asks, over restarts and moves too. */
export const RESTING_CODES: ReadonlySet<number> = new Set([403, 411, ...REFUSED_CODES])

/** Failures are forgotten only after this much of health: a session that opens and falls at once must slow down. */
export const HEALTHY_MS = 5 * MINUTE

/** The breaker: logins that succeed and do not last are what a reconnect storm is made of, and numbers get banned for. */
export const MAX_FALLS = 10

export const failedAgain = ({ attempts, falls }: Failures, { openForMs }: Pick<End, 'openForMs'>): Failures =>
  ({ attempts: attempts + 1, falls: falls + (openForMs > 0 ? 1 : 0) })

/**
 * Decides what to do after a socket has ended.
 *
 * @param before without this end
 * @param baseMs first ceiling of the ordinary backoff
 */
export function answerTo(end: End, before: Failures, baseMs: number, random: Random): Answer {
  const answer = ordinaryAnswer(end, before.attempts, baseMs, random)
  if (answer.action !== 'retry' || answer.delayMs === 0 || failedAgain(before, end).falls < MAX_FALLS) return answer
  return {
    ...answer, alarm: true, delayMs: Math.max(answer.delayMs, Math.round((5 + 5 * random()) * MINUTE)),
    reason: `The connection opens and falls again and again; it rests for some minutes. The last time: ${answer.reason}`,
  }
}

function ordinaryAnswer({ code, paired, pairing }: End, attempt: number, baseMs: number, random: Random): Answer {
  const retry = (delayMs: number, reason: string, alarm = false): Answer => ({ action: 'retry', delayMs, reason, alarm })
  const ordinary = backoffDelay({ baseMs, capMs: Math.max(MINUTE, baseMs), floorMs: Math.min(250, baseMs) }, attempt, random)
  if (pairing === 'refused') return { action: 'stop', delayMs: 0, reason: refusal(code), alarm: false }
  switch (code) {
    case 515:
      return retry(0, 'WhatsApp asked for a restart of the connection; it comes back by itself.')
    case 440:
      return retry(Math.round((30 + 30 * random()) * SECOND), 'Another connection took this session over. If nobody did that on purpose, stop the other gateway.', true)
    case 401:
      return { action: 'logged_out', delayMs: 0, reason: 'The device was unlinked on the phone, or its keys are no longer valid. Link it again with a new QR code.', alarm: true }
    case 403:
      return { action: 'stop', delayMs: 0, reason: 'WhatsApp has banned or blocked this number. Look into the WhatsApp app on the phone before linking again.', alarm: true }
    case 405:
      return retry(Math.round((10 + 10 * random()) * MINUTE), 'WhatsApp no longer takes this client version; the gateway needs an update. It keeps trying slowly.', true)
    case 411:
      return { action: 'stop', delayMs: 0, reason: 'The phone\'s WhatsApp does not take linked devices. Update WhatsApp on the phone, then link again.', alarm: true }
    case 408:
      return paired
        ? retry(ordinary, 'WhatsApp stopped answering; connecting again.')
        : retry(backoffDelay({ baseMs: 5 * baseMs, capMs: 5 * MINUTE, floorMs: baseMs }, attempt, random), unscanned(pairing))
    case 428:
      return retry(ordinary, 'The connection to WhatsApp was closed; connecting again.')
    case 503:
      return retry(backoffDelay({ baseMs: 10 * baseMs, capMs: 5 * MINUTE, floorMs: baseMs }, attempt, random), 'WhatsApp is not available at the moment; connecting again.')
    case 500:
      // Baileys calls it badSession; the stored session is sound.
      return retry(ordinary, 'WhatsApp ended the connection after an error; connecting again.')
    default:
      return retry(ordinary, 'The connection to WhatsApp ended; connecting again.')
  }
}

/** Each code is announced on the phone, so after a refusal the next one is asked for by a person. */
function refusal(code: number | undefined): string {
  if (code === 429) return 'WhatsApp has given too many pairing codes for this number. Wait an hour, or link with a QR code.'
  if (code === 400 || code === 404) return 'WhatsApp does not know this phone number. Give it with its country code, as the WhatsApp app on that phone shows it.'
  return `WhatsApp refused the pairing code (${code ?? 'without a reason'}). Link with a QR code instead.`
}

function unscanned(pairing: PairingEnd | undefined): string {
  if (pairing === 'code') return 'The pairing code expired before it was entered on the phone.'
  if (pairing === 'qr') return 'The QR codes ran out before one was scanned; new ones follow.'
  return 'WhatsApp did not offer a code to link with; trying again.'
}
