/** Raised when the time is over or `stop` is. */
export interface Deadline {
  readonly signal: AbortSignal
  /** To be called when the work has ended: a `stop` that lives for weeks keeps nothing of it. */
  readonly release: () => void
}

/**
 * As `AbortSignal.any([AbortSignal.timeout(ms), stop])`, which leaves a reference of some 70 bytes in `stop` each time and for ever
 * (Node 20): `stop` lives as long as the session, and customers decide how many files come.
 */
export function deadline(ms: number, stop: AbortSignal): Deadline {
  const over = new AbortController()
  const raise = (): void => { over.abort(stop.reason ?? new DOMException('The time is over', 'TimeoutError')) }
  const timer = setTimeout(raise, ms)
  if (stop.aborted) raise()
  else stop.addEventListener('abort', raise)
  return {
    signal: over.signal,
    release: () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', raise)
    },
  }
}
