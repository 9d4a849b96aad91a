import { pino, type DestinationStream, type Logger } from 'pino'
import type { SocketConfig } from '@whiskeysockets/baileys'
import { redactError, redactText } from './redact.js'
import type { LogLevel } from '../settings.js'

export type { Logger }

/** Structured log lines on standard output. Chats appear as `chatRef`, texts and phone numbers never. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: oneNameForAll },
    serializers: { err: redactError, error: redactError },
    redact: { paths: ['req.headers', 'headers', '*.headers'], remove: true },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** The correlation id under the name that the functions' lines have, so that one query follows a message through all logs. */
function oneNameForAll(line: Record<string, unknown>): Record<string, unknown> {
  const { correlationId, ...others } = line
  return correlationId === undefined ? line : { correlation_id: correlationId, ...others }
}

type BaileysLogger = SocketConfig['logger']

/**
 * The logger that Baileys gets: warnings and errors only, as text without addresses, whatever our own level is.
 * At its lower levels Baileys prints whole stanzas, and its warnings carry message keys and nodes as objects.
 */
export function baileysLogger(logger: Logger): BaileysLogger {
  const own = logger.child({ module: 'baileys' })
  const line = (data: unknown, message?: string): [object, string] => {
    const text = message ?? (typeof data === 'string' ? data : '')
    return [errorIn(data), redactText(text)]
  }
  const quiet = (): void => undefined
  const isNews = (message: string | undefined): boolean => message !== 'stream errored out' // the session says how it ended
  const logging: BaileysLogger = {
    level: 'warn', // Baileys renders every stanza to text when it reads 'trace' here
    child: () => logging,
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (data, message) => { own.warn(...line(data, message)) },
    error: (data, message) => { if (isNews(message)) own.error(...line(data, message)) },
  }
  return logging
}

function errorIn(data: unknown): object {
  if (data instanceof Error) return { err: data }
  if (typeof data !== 'object' || data === null) return {}
  for (const name of ['err', 'error', 'e', 'ackErr'] as const) {
    const value: unknown = (data as Readonly<Record<string, unknown>>)[name]
    if (value instanceof Error) return { err: value }
  }
  return {}
}
