import type { SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'

/** Two for each person: by LID and by phone. */
const MOST_NAMES = 4_000

/**
 * Bounds what Baileys remembers of LIDs and phone numbers. rc14 keeps everybody whom a socket ever met for three days from the last use, with
 * a timer for each of two entries: a socket lasts for weeks, and every member of a large group who writes once counts. What is
 * forgotten is read from the table again.
 *
 * @throws {Error} this is another Baileys
 */
export function boundLidMemory({ lidMapping }: Pick<SignalRepositoryWithLIDStore, 'lidMapping'>): void {
  const store = lidMapping as unknown as { mappingCache?: unknown }
  if (!(store.mappingCache instanceof Object && 'clear' in store.mappingCache)) throw new Error('Baileys has changed: look how it remembers LIDs')
  store.mappingCache = new LRUCache<string, string>({ max: MOST_NAMES })
}
