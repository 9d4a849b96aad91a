import { deferred } from '../concurrency/deferred.js'

/** The server's answer to one outgoing message: accepted, or refused with a code. */
export type Ack = { readonly kind: 'accepted'; readonly at: number } | { readonly kind: 'refused'; readonly code: string }

/** `<ack class="message" id=... error=...>`: only one without `error` means that WhatsApp took the message. */
export function readAck(attrs: Readonly<Record<string, string>>, now: number): Ack {
  const code = attrs['error']
  return code === undefined || code === '' ? { kind: 'accepted', at: now } : { kind: 'refused', code }
}

/** Sends waiting for their acknowledgement, by message id. */
export class AckWaiters {
  readonly #waiting = new Map<string, Set<(ack: Ack) => void>>()

  /**
   * Must be called before the message goes out.
   *
   * Not `sock.waitForMessage`: that one takes any stanza with the id for the answer, a delivery receipt too.
   */
  wait(id: string): { readonly ack: Promise<Ack>; readonly release: () => void } {
    const { promise, resolve } = deferred<Ack>()
    const waiters = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiters.add(resolve))
    const release = (): void => {
      waiters.delete(resolve)
      if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id)
    }
    return { ack: promise, release }
  }

  /** True if somebody was waiting for it. */
  settle(id: string, ack: Ack): boolean {
    const waiters = this.#waiting.get(id)
    if (waiters === undefined) return false
    for (const resolve of waiters) resolve(ack)
    return true
  }
}
