import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { backoffDelay, type Random } from '../concurrency/backoff.js'
import { sleep } from '../concurrency/sleep.js'
import { StoreUnavailableError } from './errors.js'

/** The gateway table and how patiently it is asked. */
export interface Table {
  readonly db: DynamoDBDocumentClient
  readonly name: string
  readonly retryMs: number
  readonly random: Random
}

/** A DynamoDB client that gives up early on a dead connection; repeating is ours (`persist`), so that order is kept. */
export function createDynamo(region: string, endpoint: string | undefined): DynamoDBClient {
  return new DynamoDBClient({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  })
}

export function documentClient(client: DynamoDBClient): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })
}

/** Errors that say "not now" of one request; in a cancelled transaction the same words stand per item. */
const TRANSIENT = new Set([
  'TransactionConflict', 'TransactionConflictException', 'TransactionInProgressException',
  'ThrottlingError', 'ThrottlingException', 'ProvisionedThroughputExceeded', 'ProvisionedThroughputExceededException',
  'RequestLimitExceeded', 'LimitExceededException', 'InternalServerError', 'ServiceUnavailable', 'ServiceUnavailableException',
  'TimeoutError', 'RequestTimeout', 'RequestTimeoutException', 'AbortError', 'NetworkingError',
  'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH',
  'ExpiredTokenException', 'UnrecognizedClientException', 'CredentialsProviderError',
])

interface CancelledTransaction {
  readonly CancellationReasons: readonly { readonly Code?: string }[]
}

/** Why each item of a cancelled transaction was refused, or `undefined` for any other error. */
export function cancellationReasons(error: unknown): readonly string[] | undefined {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return undefined
  return (error as Error & Partial<CancelledTransaction>).CancellationReasons?.map(reason => reason.Code ?? 'None') ?? []
}

/** Whether the same call may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const reasons = cancellationReasons(error)
  if (reasons !== undefined) return reasons.every(code => code === 'None' || TRANSIENT.has(code)) && reasons.some(code => code !== 'None')
  if (!(error instanceof Error)) return false
  const { code, $metadata } = error as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } }
  return TRANSIENT.has(error.name) || (typeof code === 'string' && TRANSIENT.has(code)) || ($metadata?.httpStatusCode ?? 0) >= 500
}

/**
 * Repeats a database call with jittered backoff while its failure is transient.
 *
 * @throws {StoreUnavailableError} when `retryMs` have passed; any other error at once
 */
export async function persist<T>({ retryMs, random }: Pick<Table, 'retryMs' | 'random'>, call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + retryMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (!isTransient(error)) throw error
      const pause = backoffDelay({ baseMs: 25, capMs: 2_000, floorMs: 5 }, attempt, random)
      if (performance.now() + pause > deadline) {
        throw new StoreUnavailableError(`the database did not answer for ${retryMs} ms`, { cause: error })
      }
      await sleep(pause)
    }
  }
}
