/** What a log line may show of people. Kept pure: the tests read like the rules. */
import { createHash } from 'node:crypto'

/** Jids and libsignal addresses: `972501234567:3@s.whatsapp.net`, `12345_1.0`. */
const ADDRESS = /\d{5,}(?:_\d+)?(?:[:.]\d+)?(?=@)|\d{5,}(?:_\d+)?\.\d+(?![\d])/g
const LONG_NUMBER = /(?<![0-9A-Fa-f-])\+?\d{7,}(?![0-9A-Fa-f-])/g

/** A stable short name of a chat for log lines: equal for equal jids, and not the phone number. */
export function chatRef(jid: string): string {
  return createHash('sha256').update(jid).digest('hex').slice(0, 10)
}

/** Foreign text (an error's message, a library's line) without addresses or phone numbers: only the last two digits stay. */
export function redactText(text: string): string {
  const mask = (address: string): string => `**${/\d{5,}/.exec(address)?.[0].slice(-2) ?? ''}`
  return text.replace(ADDRESS, mask).replace(LONG_NUMBER, mask)
}

/** An error as it may be logged. libsignal and Baileys put addresses into messages, and objects with keys into extra fields. */
export function redactError(error: unknown): { type: string; message: string; code?: string | number; stack?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: typeof error === 'string' ? redactText(error) : 'not an error' }
  const code = statusCodeOf(error)
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
  }
}

/** Status of a Boom (Baileys' errors), if it is one. */
export function statusCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('output' in error)) return undefined
  const { output } = error
  if (typeof output !== 'object' || output === null || !('statusCode' in output)) return undefined
  return typeof output.statusCode === 'number' ? output.statusCode : undefined
}
