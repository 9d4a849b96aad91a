import type { Random } from '../concurrency/backoff.js'

/** An answer of this many characters takes the full time, the shortest one a quarter of it. */
const FULL_LENGTH = 300
const LEAST_SHARE = 0.25
const JITTER = 0.15

/**
 * How long "typing ..." is shown before an answer, in milliseconds: numbers that answer at once were banned.
 *
 * @param characters length of the answer
 * @param waitedMs how long the customer has been waiting; the model's thinking counts as typing
 * @param mostMs for a long answer; 0 switches composing off
 */
export function composingMs(characters: number, waitedMs: number, mostMs: number, random: Random): number {
  const share = LEAST_SHARE + (1 - LEAST_SHARE) * Math.min(1, characters / FULL_LENGTH)
  const jittered = mostMs * share * (1 + JITTER * (2 * random() - 1))
  return Math.round(Math.max(0, jittered - Math.max(0, waitedMs)))
}
