import './unharmed-sessions.js'
import makeWASocket, {
  DEFAULT_CONNECTION_CONFIG, type AuthenticationCreds, type CacheStore, type proto, type SignalKeyStore, type WASocket, type WAVersion,
} from '@whiskeysockets/baileys'
import { baileysLogger, type Logger } from '../observability/logger.js'
import { commitFirst, type Noting } from './commit-first.js'
import { boundLidMemory } from './lid-memory.js'

export interface SocketOptions {
  readonly version: WAVersion
  readonly creds: AuthenticationCreds
  readonly keys: SignalKeyStore
  readonly waWebSocketUrl: string | undefined
  /** How long each QR code is shown; 0: as WhatsApp's own web client. */
  readonly qrMs: number
  /** Counts retry receipts; outlives the socket, one per tenant. */
  readonly retryCounters: CacheStore
  /** What was sent under this id, for a phone that could not read it; `undefined` if it is too old to be sent again. */
  readonly getMessage: (id: string) => Promise<proto.IMessage | undefined>
  readonly ratchet: Noting
  readonly logger: Logger
}

const KEEP_ALIVE_MS = 15_000
const QUERY_TIMEOUT_MS = 20_000

/** A socket of Baileys with the settings that this gateway needs, its ratchet committing first. */
export function openSocket({ version, creds, keys, waWebSocketUrl, qrMs, retryCounters, getMessage, ratchet, logger }: SocketOptions): WASocket {
  const socket = makeWASocket({
    version,
    auth: { creds, keys },
    logger: baileysLogger(logger),
    markOnlineOnConnect: false, // the owner's phone keeps its notifications
    syncFullHistory: false,
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    defaultQueryTimeoutMs: QUERY_TIMEOUT_MS,
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 }, // repeats are the store's
    msgRetryCounterCache: retryCounters,
    getMessage: ({ id }) => getMessage(id ?? ''),
    makeSignalRepository: (auth, log, pnToLid) =>
      commitFirst(DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, log, pnToLid), auth, ratchet),
    ...(waWebSocketUrl === undefined ? {} : { waWebSocketUrl }),
    ...(qrMs > 0 ? { qrTimeout: qrMs } : {}),
  })
  boundLidMemory(socket.signalRepository)
  // Baileys' own memory of sent messages forgets after five minutes, but each repeat starts them anew: only the sent log,
  // asked by `getMessage`, knows how old a message is.
  if (socket.messageRetryManager) socket.messageRetryManager.getRecentMessage = () => undefined
  return socket
}

/** The WebSocket of the library `ws`, which Baileys wraps. */
export function webSocketOf(socket: WASocket): { readonly terminate: () => void; readonly pause: () => void; readonly resume: () => void } | undefined {
  const { socket: webSocket } = socket.ws as unknown as { readonly socket: ReturnType<typeof webSocketOf> | null }
  return webSocket ?? undefined
}
