/** A number in [0, 1), as `Math.random` gives. */
export type Random = () => number

export interface Backoff {
  readonly baseMs: number
  readonly capMs: number
  /** Never sooner than this: full jitter alone may redial at once (Evolution was seen redialling 19 ms apart). */
  readonly floorMs?: number
}

/**
 * Exponential backoff with full jitter: uniform between the floor and `base * 2^attempt`, capped.
 *
 * @param attempt failures so far, from 0
 */
export function backoffDelay({ baseMs, capMs, floorMs = 0 }: Backoff, attempt: number, random: Random): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30))
  return Math.round(floorMs + random() * Math.max(0, ceiling - floorMs))
}
