import type { Event, EventAnswer } from '@kesher/contracts'
import { sign, SIGNATURE_HEADER, TIMESTAMP_HEADER } from './signing.js'
import type { RequestSigner } from './sigv4.js'
import type { Secrets } from './secrets.js'

/** How a delivery ended. `refused`: this event will never be taken. `failed`: the way is broken, not the event. */
export type Delivery =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly slow: boolean; readonly reason: string; readonly error?: unknown }

export type Deliver = (event: Event) => Promise<Delivery>

export interface WebhookOptions {
  readonly url: URL
  readonly secrets: Secrets
  readonly signer: RequestSigner
  readonly timeoutMs: number
  readonly now: () => number
}

/** Posts events to the webhook; each attempt is signed afresh, because signatures age. */
export function webhookClient({ url, secrets, signer, timeoutMs, now }: WebhookOptions): Deliver {
  return async event => {
    try {
      const body = JSON.stringify(event)
      const timestamp = Math.floor(now() / 1000)
      const { current } = await secrets.current()
      const headers = await signer(url, {
        'content-type': 'application/json',
        [TIMESTAMP_HEADER]: String(timestamp),
        [SIGNATURE_HEADER]: sign(current, timestamp, body),
      }, body)
      const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
      return deliveryOf(answer.status, await textOf(answer))
    } catch (error) {
      return { kind: 'failed', slow: false, reason: 'the webhook cannot be reached', error }
    }
  }
}

/** Statuses that speak of the way (signature, permission, address, load), not of this event. */
const ABOUT_THE_WAY = new Set([401, 403, 404, 405, 407, 408, 425, 429])
/** A tenant that is not set up yet, a missing permission, a wrong address: only a person changes that. */
const SLOW = new Set([403, 404, 405])

/** What a status of the webhook means. A refusal needs certainty: one wrong guess loses a customer's message. */
export function deliveryOf(status: number, body: string): Delivery {
  if (status >= 200 && status < 300) {
    if (RESULTS.has(field(body, 'result'))) return { kind: 'accepted' }
    return { kind: 'failed', slow: true, reason: `HTTP ${status}, but not the webhook's answer: WEBHOOK_URL leads to somebody else` }
  }
  const reason = `HTTP ${status}: ${errorName(body)}`
  if (status >= 400 && status < 500 && !ABOUT_THE_WAY.has(status)) return { kind: 'refused', status, reason }
  return { kind: 'failed', slow: SLOW.has(status), reason }
}

/** What the webhook says once it has stored an event. A proxy's page or another program's 200 says nothing of that. */
const RESULTS: ReadonlySet<unknown> = new Set<EventAnswer['result']>(['accepted', 'duplicate', 'ignored'])

/** Only the program's name of the error: a reason may quote the event. */
function errorName(body: string): string {
  const error = field(body, 'error')
  return typeof error === 'string' ? error.slice(0, 64) : 'no reason given'
}

function field(body: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
  } catch {
    return undefined
  }
}

/** The webhook's answers have some hundred bytes. */
const MOST_ANSWER_BYTES = 64_000

/** The beginning of the answer's body: whoever answers instead of the webhook may never end. */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array> | []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MOST_ANSWER_BYTES) break
  }
  return Buffer.concat(chunks).toString()
}
