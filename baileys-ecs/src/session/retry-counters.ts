import type { CacheStore } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'

/** The keys hold message ids, which are their sender's choice. */
const MAX_BYTES = 1_000_000
const HOUR = 60 * 60 * 1000

/** Baileys' count of retry receipts by message, bounded; one per tenant, so that a reconnect does not start it afresh. */
export function retryCounters(): CacheStore {
  const cache = new LRUCache<string, { readonly value: unknown }>({
    max: 5_000, ttl: HOUR, maxSize: MAX_BYTES, sizeCalculation: (_, key) => key.length + 50,
  })
  return {
    get: key => cache.get(key)?.value as never,
    set: (key, value) => { cache.set(key, { value }) },
    del: key => { cache.delete(key) },
    flushAll: () => { cache.clear() },
  }
}
