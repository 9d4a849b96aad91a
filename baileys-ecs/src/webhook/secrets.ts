import { timingSafeEqual, createHash } from 'node:crypto'
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { within } from '../concurrency/sleep.js'
import type { SecretSource } from '../settings.js'

/** The internal secret: `current` signs, both verify. */
export interface InternalSecret {
  readonly current: string
  readonly previous?: string | undefined
}

/** The secret cannot be read, or is not one. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
}

const REREAD_MS = 60_000
/** A caller with a wrong secret waits no longer than this for its "no". */
const VERIFY_MS = 5_000

/** Keeper of the internal secret. From Secrets Manager it is read again at most once a minute, so that it can be rotated. */
export class Secrets {
  readonly #read: () => Promise<InternalSecret>
  readonly #now: () => number
  #known: InternalSecret | undefined
  #readAt = 0
  /** While it is being read. */
  #reading: Promise<InternalSecret> | undefined

  constructor(read: () => Promise<InternalSecret>, now: () => number) {
    this.#read = read
    this.#now = now
  }

  static from(source: SecretSource, client: SecretsManagerClient, now: () => number): Secrets {
    if (source.kind === 'value') {
      const secret = parseSecret(source.value)
      return new Secrets(() => Promise.resolve(secret), now)
    }
    return new Secrets(async () => {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: source.arn }))
      return parseSecret(SecretString ?? '')
    }, now)
  }

  /** The secret as last read. It is read again when it is a minute old, which nobody waits for: a stalled read must not stall deliveries. */
  async current(): Promise<InternalSecret> {
    const reading = this.#freshen()
    return this.#known ?? await reading
  }

  /** Whether `presented` is the current or the previous secret; before a "no" the secret is read again. */
  async verify(presented: string): Promise<boolean> {
    if (matches(await this.current(), presented)) return true
    const reading = this.#reading
    const again = reading === undefined ? this.#known : await within(reading, VERIFY_MS, undefined)
    return again !== undefined && matches(again, presented)
  }

  /** Begins to read, unless that was done within the last minute. A failed re-read leaves the known one in force. */
  #freshen(): Promise<InternalSecret> {
    const known = this.#known
    if (this.#reading !== undefined) return this.#reading
    if (known !== undefined && this.#now() - this.#readAt < REREAD_MS) return Promise.resolve(known)
    this.#readAt = this.#now()
    const reading = this.#read()
      .then(secret => this.#known = secret, (error: unknown) => {
        if (known === undefined) throw error
        return known
      })
      .finally(() => { this.#reading = undefined })
    this.#reading = reading
    return reading
  }
}

/** @throws {SecretError} */
export function parseSecret(text: string): InternalSecret {
  if (text === '') throw new SecretError('the internal secret is empty')
  if (!text.trimStart().startsWith('{')) return { current: text }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new SecretError('the internal secret begins like JSON and is none', { cause: error })
  }
  const { current, previous } = parsed as Partial<Record<'current' | 'previous', unknown>>
  if (typeof current !== 'string' || current === '') throw new SecretError('the internal secret has no "current"')
  return { current, previous: typeof previous === 'string' && previous !== '' ? previous : undefined }
}

function matches({ current, previous }: InternalSecret, presented: string): boolean {
  const isCurrent = equal(current, presented)
  const isPrevious = previous !== undefined && equal(previous, presented)
  return isCurrent || isPrevious
}

/** Constant time, whatever the lengths: digests are compared. */
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
