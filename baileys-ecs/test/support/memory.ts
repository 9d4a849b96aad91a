import { once } from 'node:events'
import { median } from '../bench/statistics.js'
import type { GatewayProcess } from './gateway-process.js'

/** What a process holds after a forced full collection, in bytes. */
export interface Memory {
  /** Objects of JavaScript, and buffers outside of V8's heap. */
  readonly held: number
  /** As the operating system counts it; what V8 keeps for later is part of it. */
  readonly resident: number
}

export const MEGABYTE = 1024 * 1024
/** Half of a minute on a machine that has better things to do. */
const ANSWER_MS = 120_000

/** @param snapshot path of a heap snapshot to be written, for Chrome's DevTools */
export async function memoryOf({ child }: GatewayProcess, snapshot?: string): Promise<Memory> {
  const answer = once(child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) }) as Promise<[{ heapUsed: number; external: number; rss: number }]>
  child.send(snapshot ?? true)
  const [{ heapUsed, external, rss }] = await answer
  return { held: heapUsed + external, resident: rss } // `external` has the array buffers in it
}

export interface Growth {
  readonly held: number
  readonly resident: number
}

/** Share of the samples that is compared, at either end. */
const PART = 0.25
const LEAST_IN_PART = 3

/**
 * How much more the last quarter of the samples has than the first, as a share: 0.05 is 5 %. `undefined` with too few.
 *
 * Medians, because memory goes up and down: a socket's caches begin empty at each reconnect, V8 compiles and forgets code
 * when it likes. One sample at either end would tell of its moment; half of a part would have to lie to move its median.
 * What really grows is in every sample of the last part.
 */
export function growth(samples: readonly Memory[]): Growth | undefined {
  const part = Math.floor(samples.length * PART)
  if (part < LEAST_IN_PART) return undefined
  const of = (what: keyof Memory): number =>
    median(samples.slice(-part).map(sample => sample[what])) / median(samples.slice(0, part).map(sample => sample[what])) - 1
  return { held: of('held'), resident: of('resident') }
}
