import { createHash } from 'node:crypto'
import type { Key } from './keys.js'
import type { Item } from './writer.js'

/**
 * The one type whose values grow with the phone: Baileys keeps 130 bytes for each contact, and a DynamoDB item ends at 400 KB,
 * which 3,000 contacts reach. Such a value lies in several rows, written in one transaction.
 */
export const isDivided = (type: string): boolean => type === 'app-state-sync-version'

/** JSON of base64 is ASCII: a character is a byte. */
const PART_CHARACTERS = 350_000

const digestOf = (json: string): string => createHash('sha256').update(json).digest('base64')
const partKey = (sk: string, part: number): string => `${sk}#${part}`

/** The rows of a value: the first under its own key, saying how many follow. */
export function divided({ pk, sk }: Key, json: string): Item[] {
  const parts = Array.from({ length: Math.ceil(json.length / PART_CHARACTERS) }, (_, at) => json.slice(at * PART_CHARACTERS, (at + 1) * PART_CHARACTERS))
  return parts.map((value, at) => at === 0
    ? { pk, sk, value, ...(parts.length > 1 ? { parts: parts.length, digest: digestOf(json) } : {}) }
    : { pk, sk: partKey(sk, at), value })
}

/** The sort keys of what follows the first row. */
export function restOf(first: Readonly<Record<string, unknown>>): string[] {
  return Array.from({ length: Number(first['parts'] ?? 1) - 1 }, (_, at) => partKey(String(first['sk']), at + 1))
}

/** The value, or `undefined` if it was written anew between the reading of its rows. */
export function joined(first: Readonly<Record<string, unknown>>, rest: readonly Readonly<Record<string, unknown>>[]): string | undefined {
  const values = new Map(rest.map(row => [String(row['sk']), String(row['value'])]))
  const json = [String(first['value']), ...restOf(first).map(sk => values.get(sk) ?? '')].join('')
  return first['digest'] === undefined || first['digest'] === digestOf(json) ? json : undefined
}
