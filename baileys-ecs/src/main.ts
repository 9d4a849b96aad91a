import './observability/silence.js' // first: libsignal prints private keys to the console
import { startGateway, type Gateway } from './gateway.js'
import { createLogger, type Logger } from './observability/logger.js'
import { statusCodeOf } from './observability/redact.js'
import { help, readSettings, SettingsError, type Settings } from './settings.js'
import { within } from './concurrency/sleep.js'

/** Promises of Baileys that nobody awaits, rejected because their socket or store has ended; the session deals with that end. */
const SOCKET_ENDED = new Set([408, 428])
const STORE_ENDED = new Set(['StoreClosedError', 'StoreUnavailableError', 'FencedError'])

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(help())
    return
  }
  const settings = settingsOrExit()
  const logger = createLogger(settings.logLevel)
  process.on('uncaughtException', error => { leave(logger, error) })
  process.on('unhandledRejection', reason => {
    if (isEnd(reason)) logger.warn({ err: reason }, 'a call into an ended socket failed')
    else leave(logger, reason)
  })
  const gateway = await startGateway(settings, logger)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => { void stop(gateway, settings, logger) })
  }
}

async function stop(gateway: Gateway, { shutdownMs }: Settings, logger: Logger): Promise<void> {
  const done = await within(gateway.stop().then(() => true), shutdownMs, false)
  if (!done) logger.error('the shutdown took too long; the journal keeps what is left')
  process.exit(0) // a timer of Baileys would keep the process for another 30 s
}

function isEnd(reason: unknown): boolean {
  return SOCKET_ENDED.has(statusCodeOf(reason) ?? 0) || (reason instanceof Error && STORE_ENDED.has(reason.name))
}

/** The journal makes leaving safe: what was not forwarded is forwarded by the next start. */
function leave(logger: Logger, error: unknown): never {
  logger.fatal({ err: error }, 'unexpected error; the process ends')
  process.exit(1)
}

function settingsOrExit(): Settings {
  try {
    return readSettings(process.env)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`${error.message}\nSee --help.\n`)
    process.exit(2)
  }
}

main().catch((error: unknown) => {
  createLogger('error').fatal({ err: error }, 'the gateway could not start')
  process.exit(1)
})
