/**
 * Metrics as log lines: CloudWatch's embedded metric format (EMF), which awslogs needs no agent for.
 *
 * One line a minute for all of them. Not the library `aws-embedded-metrics`: it looks for its environment over HTTP at the
 * first flush and writes through `console`, which is silenced here; what is left of it is this page.
 */

export type Unit = 'Count' | 'Milliseconds' | 'Seconds' | 'Megabytes'

/** Every metric of the gateway. Each costs money by the month, so none is here without an alarm or a graph. */
export const METRICS = {
  /** Sessions of this container that can send. */
  SessionsConnected: 'Count',
  /** Sessions that should be connected and are not: held by this container, or by none. */
  SessionsDown: 'Count',
  /** Sessions that seem connected while WhatsApp acknowledges nothing. */
  SessionsSilent: 'Count',
  Reconnects: 'Count',
  MessagesReceived: 'Count',
  SendsAcknowledged: 'Count',
  SendsRefused: 'Count',
  SendsUnknown: 'Count',
  /** From a message written until WhatsApp's server acknowledged it. */
  AckLatency: 'Milliseconds',
  /** Rows that the webhook has not taken yet. */
  JournalDepth: 'Count',
  /** Age of the oldest of them. */
  JournalAge: 'Seconds',
  /** Rows that the webhook refuses for good. */
  RowsParked: 'Count',
  /** Deliveries to the webhook that will be repeated. */
  DeliveriesFailed: 'Count',
  /** 99th percentile of how much too late timers came. */
  EventLoopLag: 'Milliseconds',
  MemoryRss: 'Megabytes',
  MemoryHeap: 'Megabytes',
} as const satisfies Readonly<Record<string, Unit>>

export type MetricName = keyof typeof METRICS
export type Values = Readonly<Partial<Record<MetricName, number | readonly number[]>>>

export const SERVICE = 'gateway'

/**
 * A line that CloudWatch turns into metrics.
 *
 * @param namespace the deployment's prefix
 * @param at Unix milliseconds
 * @param metadata stands in the line, for whoever searches the log; a dimension by tenant would be a billed metric each
 */
export function embedded(namespace: string, values: Values, at: number, metadata: Readonly<Record<string, unknown>> = {}): object {
  const given = Object.entries(values).filter(([, value]) => !Array.isArray(value) || value.length > 0)
  return {
    ...metadata,
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [{
        Namespace: namespace,
        Dimensions: [['service']],
        Metrics: given.map(([name]) => ({ Name: name, Unit: METRICS[name as MetricName] })),
      }],
    },
    service: SERVICE,
    ...Object.fromEntries(given),
  }
}
