/** The gateway's settings: environment variables, read once, checked before anything starts. */

/** Where the internal secret comes from: given outright, or the ARN of a secret in Secrets Manager. */
export type SecretSource = { readonly kind: 'value'; readonly value: string } | { readonly kind: 'arn'; readonly arn: string }

export type WebhookAuth = 'none' | 'iam'

/** Everything the gateway can be told. Durations are in milliseconds. */
export interface Settings {
  readonly host: string
  readonly port: number
  readonly gatewayTable: string
  /** Sparse index whose items are the session rows; without one the whole table is scanned at each look. */
  readonly sessionIndex: string | undefined
  /** Bucket for media; without one they are not kept, and each event says so. */
  readonly mediaBucket: string | undefined
  readonly mediaMaxBytes: number
  readonly mediaDeadlineMs: number
  readonly webhookUrl: URL
  readonly webhookAuth: WebhookAuth
  readonly webhookTimeoutMs: number
  readonly webhookConcurrency: number
  readonly secret: SecretSource
  readonly waWebSocketUrl: string | undefined
  readonly awsEndpointUrl: string | undefined
  readonly awsRegion: string
  /** The address by which the send function reaches this container; `undefined`: host and port, once known. */
  readonly ownerUrl: string | undefined
  readonly ecsMetadataUrl: string | undefined
  readonly logLevel: LogLevel
  /** CloudWatch namespace; empty: the figures are logged in plain words. */
  readonly metricsNamespace: string
  readonly metricsPeriodMs: number
  readonly sendDeadlineMs: number
  readonly composingMs: number
  readonly messagesAMinute: number
  readonly newChatsADay: number
  readonly sessionPollMs: number
  readonly heartbeatMs: number
  readonly leaseMs: number
  readonly capacity: number
  readonly rebalanceMs: number
  readonly startSpacingMs: number
  readonly storeRetryMs: number
  readonly connectTimeoutMs: number
  readonly qrMs: number
  readonly pairingCodeMs: number
  readonly silenceMs: number
  readonly probeMs: number
  readonly ackProbeMs: number
  readonly reconnectBaseMs: number
  readonly shutdownMs: number
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A setting is missing or cannot be used. The message names every fault, not only the first. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

interface Documented {
  readonly name: string
  readonly fallback?: string
  readonly help: string
}

/** Every variable that the gateway reads; the README's table is checked against this list. */
export const VARIABLES: readonly Documented[] = [
  { name: 'HOST', fallback: '127.0.0.1', help: 'Address to listen on; the image sets 0.0.0.0.' },
  { name: 'PORT', fallback: '8080', help: 'Port to listen on; 0 takes a free one.' },
  { name: 'GATEWAY_TABLE', help: 'Name of the gateway\'s DynamoDB table.' },
  { name: 'SESSION_INDEX', fallback: '', help: 'Sparse index of the session rows; empty: the table is scanned.' },
  { name: 'MEDIA_BUCKET', fallback: '', help: 'S3 bucket for what customers send; empty: media are not kept, and each event says so.' },
  { name: 'MEDIA_MAX_BYTES', fallback: '16777216', help: 'Files that are larger are not kept.' },
  { name: 'MEDIA_DEADLINE_MS', fallback: '90000', help: 'How long a file may hold up the messages of its chat; then its message goes without it.' },
  { name: 'WEBHOOK_URL', help: 'Full URL to which events are posted.' },
  { name: 'WEBHOOK_AUTH', fallback: 'auto', help: '`none`, `iam` (SigV4) or `auto`: `iam` if the host ends in `.on.aws`.' },
  { name: 'WEBHOOK_TIMEOUT_MS', fallback: '15000', help: 'Time for one delivery to the webhook.' },
  { name: 'WEBHOOK_CONCURRENCY', fallback: '16', help: 'Deliveries at once, over all chats of one tenant.' },
  { name: 'INTERNAL_SECRET', fallback: '', help: 'The internal secret, plain or `{"current": ..., "previous": ...}`.' },
  { name: 'INTERNAL_SECRET_ARN', fallback: '', help: 'Or its ARN in Secrets Manager, re-read at most once a minute.' },
  { name: 'WA_WEBSOCKET_URL', fallback: '', help: 'WhatsApp\'s server; empty: the real one.' },
  { name: 'AWS_REGION', fallback: 'us-east-1', help: 'Region of the table and the secret.' },
  { name: 'AWS_ENDPOINT_URL', fallback: '', help: 'Another AWS, for example an emulator.' },
  { name: 'OWNER_URL', fallback: '', help: 'Address by which others reach this container; empty: the task\'s own address on ECS, else `http://HOST:PORT`.' },
  { name: 'ECS_CONTAINER_METADATA_URI_V4', fallback: '', help: 'Set by ECS; gives the task\'s address.' },
  { name: 'LOG_LEVEL', fallback: 'info', help: 'One of ' + LOG_LEVELS.join(', ') + '.' },
  { name: 'METRICS_NAMESPACE', fallback: '', help: 'CloudWatch namespace of the metrics; empty: their figures are logged without being metrics.' },
  { name: 'METRICS_PERIOD_MS', fallback: '60000', help: 'Time between two lines of metrics.' },
  { name: 'SEND_DEADLINE_MS', fallback: '30000', help: 'Time until a send that WhatsApp has not acknowledged is called unknown.' },
  { name: 'COMPOSING_MS', fallback: '4000', help: 'How long "typing ..." is shown before a long answer of the assistant, less the time that the customer has waited; a short answer takes a quarter. 0: never.' },
  { name: 'MESSAGES_A_MINUTE', fallback: '60', help: 'Messages that a number sends in a minute at most; more wait. Persons\' own count, and wait only beyond three times this.' },
  { name: 'NEW_CHATS_A_DAY', fallback: '50', help: 'Chats with people who never wrote that a number begins in 24 hours at most; more wait.' },
  { name: 'SESSION_POLL_MS', fallback: '1000', help: 'Time between two looks at the rows of sessions and containers.' },
  { name: 'HEARTBEAT_MS', fallback: '1500', help: 'Time between two signs of life of this container.' },
  { name: 'LEASE_MS', fallback: '9000', help: 'How long a container must be seen to stand still until others take its sessions; the same for all. It lets go by itself after 70 % of this.' },
  { name: 'CAPACITY', fallback: '200', help: 'Sessions that this container takes at most.' },
  { name: 'REBALANCE_MS', fallback: '1000', help: 'Time between two sessions given away to a container that has fewer; 0 gives none away.' },
  { name: 'START_SPACING_MS', fallback: '50', help: 'Least time between two sockets opened by this container.' },
  { name: 'STORE_RETRY_MS', fallback: '10000', help: 'How long a database call is repeated before the socket is given up.' },
  { name: 'CONNECT_TIMEOUT_MS', fallback: '60000', help: 'Watchdog: time for a socket to open or to show a QR code.' },
  { name: 'QR_MS', fallback: '0', help: 'How long each QR code is shown; 0: as WhatsApp\'s own web client, the first one 60 s, the others 20 s.' },
  { name: 'PAIRING_CODE_MS', fallback: '150000', help: 'How long a pairing code is shown; WhatsApp forgets it after some 160 s.' },
  { name: 'SILENCE_MS', fallback: '25000', help: 'Watchdog: a socket whose last answer from WhatsApp is older is ended; `canSend` is false then.' },
  { name: 'PROBE_MS', fallback: '5000', help: 'Time for the answer to a ping that is sent before the silence is over, and when an acknowledgement stays away.' },
  { name: 'ACK_PROBE_MS', fallback: '10000', help: 'Watchdog: time without acknowledgement after which WhatsApp is pinged.' },
  { name: 'RECONNECT_BASE_MS', fallback: '1000', help: 'First ceiling of the jittered reconnect delay.' },
  { name: 'SHUTDOWN_MS', fallback: '18000', help: 'Time for a shutdown, after which the process leaves anyhow.' },
]

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings.
 *
 * @param environment usually `process.env`
 * @throws {SettingsError} naming each variable that is missing or malformed, and what it should be
 */
export function readSettings(environment: Environment): Settings {
  const faults: string[] = []
  const text = (name: string): string => {
    const given = environment[name]
    return given === undefined || given === '' ? (VARIABLES.find(v => v.name === name)?.fallback ?? '') : given
  }
  const required = (name: string): string => {
    const value = text(name)
    if (value === '') faults.push(`${name} is missing: ${VARIABLES.find(v => v.name === name)?.help ?? ''}`)
    return value
  }
  const whole = (name: string, least: number, most = Number.MAX_SAFE_INTEGER): number => {
    const value = Number(text(name))
    if (Number.isInteger(value) && value >= least && value <= most) return value
    faults.push(`${name} is "${text(name)}": give a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`)
    return least
  }
  const oneOf = <T extends string>(name: string, choices: readonly T[]): T => {
    const found = choices.find(choice => choice === text(name))
    if (found === undefined) faults.push(`${name} is "${text(name)}": give one of ${choices.join(', ')}`)
    return found ?? (choices[0] as T)
  }
  const url = (name: string, protocols: readonly string[]): URL => {
    const value = required(name)
    const parsed = URL.canParse(value) ? new URL(value) : undefined
    if (value !== '' && !protocols.includes(parsed?.protocol ?? '')) {
      faults.push(`${name} is "${value}": give a URL that begins with ${protocols.map(p => `${p}//`).join(' or ')}`)
    }
    return parsed ?? new URL('http://invalid.invalid')
  }
  const optionalUrl = (name: string, protocols: readonly string[]): string | undefined =>
    text(name) === '' ? undefined : url(name, protocols).href.replace(/\/$/, '')

  const webhookUrl = url('WEBHOOK_URL', ['http:', 'https:'])
  const auth = oneOf('WEBHOOK_AUTH', ['auto', 'none', 'iam'] as const)
  const settings: Settings = {
    host: text('HOST'),
    port: whole('PORT', 0, 65_535),
    gatewayTable: required('GATEWAY_TABLE'),
    sessionIndex: text('SESSION_INDEX') || undefined,
    mediaBucket: text('MEDIA_BUCKET') || undefined,
    mediaMaxBytes: whole('MEDIA_MAX_BYTES', 1, 64 * 1024 * 1024),
    mediaDeadlineMs: whole('MEDIA_DEADLINE_MS', 1),
    webhookUrl,
    webhookAuth: auth === 'auto' ? (webhookUrl.hostname.endsWith('.on.aws') ? 'iam' : 'none') : auth,
    webhookTimeoutMs: whole('WEBHOOK_TIMEOUT_MS', 1),
    webhookConcurrency: whole('WEBHOOK_CONCURRENCY', 1),
    secret: secretSource(text('INTERNAL_SECRET'), text('INTERNAL_SECRET_ARN'), faults),
    waWebSocketUrl: optionalUrl('WA_WEBSOCKET_URL', ['ws:', 'wss:']),
    awsEndpointUrl: optionalUrl('AWS_ENDPOINT_URL', ['http:', 'https:']),
    awsRegion: text('AWS_REGION'),
    ownerUrl: optionalUrl('OWNER_URL', ['http:', 'https:']),
    ecsMetadataUrl: optionalUrl('ECS_CONTAINER_METADATA_URI_V4', ['http:']),
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS),
    metricsNamespace: text('METRICS_NAMESPACE'),
    metricsPeriodMs: whole('METRICS_PERIOD_MS', 10),
    sendDeadlineMs: whole('SEND_DEADLINE_MS', 1),
    composingMs: whole('COMPOSING_MS', 0, 20_000),
    messagesAMinute: whole('MESSAGES_A_MINUTE', 1),
    newChatsADay: whole('NEW_CHATS_A_DAY', 1, 10_000),
    sessionPollMs: whole('SESSION_POLL_MS', 10),
    heartbeatMs: whole('HEARTBEAT_MS', 10),
    leaseMs: whole('LEASE_MS', 100),
    capacity: whole('CAPACITY', 1),
    rebalanceMs: whole('REBALANCE_MS', 0),
    startSpacingMs: whole('START_SPACING_MS', 0),
    storeRetryMs: whole('STORE_RETRY_MS', 0),
    connectTimeoutMs: whole('CONNECT_TIMEOUT_MS', 1),
    qrMs: whole('QR_MS', 0),
    pairingCodeMs: whole('PAIRING_CODE_MS', 1),
    silenceMs: whole('SILENCE_MS', 2),
    probeMs: whole('PROBE_MS', 1),
    ackProbeMs: whole('ACK_PROBE_MS', 1),
    reconnectBaseMs: whole('RECONNECT_BASE_MS', 1),
    shutdownMs: whole('SHUTDOWN_MS', 1),
  }
  if (settings.leaseMs < 3 * settings.heartbeatMs) faults.push('LEASE_MS is too short: give at least three times HEARTBEAT_MS, or one late beat costs every session')
  if (settings.probeMs >= settings.silenceMs) faults.push('PROBE_MS is too long: give less than SILENCE_MS')
  if (faults.length > 0) throw new SettingsError(`The gateway cannot start:\n${faults.map(f => `  - ${f}`).join('\n')}`)
  return settings
}

function secretSource(value: string, arn: string, faults: string[]): SecretSource {
  if (value !== '' && arn !== '') faults.push('INTERNAL_SECRET and INTERNAL_SECRET_ARN are both set: give one of them')
  if (value === '' && arn === '') faults.push('INTERNAL_SECRET or INTERNAL_SECRET_ARN is missing: give one of them')
  return arn === '' ? { kind: 'value', value } : { kind: 'arn', arn }
}

/** The text of `--help`. */
export function help(): string {
  const rows = VARIABLES.map(({ name, fallback, help }) => {
    const state = fallback === undefined ? ' (required)' : fallback === '' ? '' : ` (default ${fallback})`
    return `  ${name.padEnd(32)}${help}${state}`
  })
  return ['Kesher\'s WhatsApp gateway. Usage: node dist/main.js', '', 'Settings come from the environment:', ...rows, ''].join('\n')
}
