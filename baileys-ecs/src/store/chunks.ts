import { MAX_WRITES, type Write } from './writer.js'

/**
 * Types whose entries stand alone, so that a crash between two chunks loses nothing that was promised: new pre-keys are
 * offered to the server only after their `set` returned; mappings and device lists are learnt again.
 */
const STANDALONE = new Set(['pre-key', 'lid-mapping', 'device-list'])
/** A transaction ends at 4 MB. */
const MAX_BYTES = 3_500_000

export interface TypedWrite {
  readonly type: string
  readonly bytes: number
  readonly write: Write
}

/**
 * Splits one `set` into transactions. Nearly every one fits into a single transaction and stays atomic; pairing (812
 * pre-keys) and a history sync (thousands of mappings) do not: then entries that stand alone go first, in chunks, and
 * all the rest follows in one transaction.
 */
export function chunk(writes: readonly TypedWrite[]): TypedWrite[][] {
  if (fits(writes)) return writes.length === 0 ? [] : [[...writes]]
  const standalone = writes.filter(isStandalone)
  const together = writes.filter(write => !isStandalone(write))
  const chunks: TypedWrite[][] = []
  let current: TypedWrite[] = []
  for (const write of standalone) {
    if (!fits([...current, write])) {
      chunks.push(current)
      current = []
    }
    current.push(write)
  }
  if (current.length > 0) chunks.push(current)
  return together.length === 0 ? chunks : [...chunks, together]
}

const fits = (writes: readonly TypedWrite[]): boolean =>
  writes.length <= MAX_WRITES && writes.reduce((sum, { bytes }) => sum + bytes, 0) <= MAX_BYTES

/** A deleted pre-key was used by a session that changes in the same `set`: those two must stay together. */
const isStandalone = ({ type, write }: TypedWrite): boolean => STANDALONE.has(type) && (type !== 'pre-key' || 'put' in write)
