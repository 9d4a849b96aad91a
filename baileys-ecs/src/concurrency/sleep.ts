import { setTimeout as delay } from 'node:timers/promises'

/** Waits, or ends early (without an error) when the signal is raised. Keeps no process alive by itself. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

/** Resolves with the promise, or with `fallback` after `ms`. */
export async function within<T, F>(promise: Promise<T>, ms: number, fallback: F): Promise<T | F> {
  const timer = new AbortController()
  try {
    return await Promise.race([promise, sleep(ms, timer.signal).then(() => fallback)])
  } finally {
    timer.abort()
  }
}
