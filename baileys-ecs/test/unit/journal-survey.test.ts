import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { journalSortKey } from '../../src/store/keys.js'
import { surveyJournal, SURVEYED_PAGES, SURVEYED_WAITING } from '../../src/store/journal-survey.js'
import type { Table } from '../../src/store/dynamo.js'

interface Row { readonly sk: string; readonly parked?: { readonly at: number } }
interface Query { readonly input: { readonly Limit: number; readonly ExclusiveStartKey?: { readonly sk: string } } }

/** So many parked rows, the oldest, and then so many that wait; in pages of at most `pageSize`. */
function table(parked: number, waiting: number, pageSize = 1_000): { readonly table: Table; readonly reads: () => number } {
  let reads = 0
  const rows: Row[] = Array.from({ length: parked + waiting }, (_, i) => ({
    sk: journalSortKey(1_000 + i, `M${i}`), ...(i < parked ? { parked: { at: 1 } } : {}),
  }))
  const db = {
    send: ({ input }: Query): Promise<unknown> => {
      reads++
      const from = rows.findIndex(({ sk }) => sk > (input.ExclusiveStartKey?.sk ?? ''))
      const Items = rows.slice(from, from + Math.min(input.Limit, pageSize))
      const last = Items.at(-1)
      return Promise.resolve({ Items, ...(last === rows.at(-1) ? {} : { LastEvaluatedKey: last }) })
    },
  }
  return { table: { db, name: 't', retryMs: 0, random: () => 0 } as unknown as Table, reads: () => reads }
}

describe('the survey of a journal', () => {
  it('counts what waits and what is parked, in one read of a small journal', async () => {
    const small = table(2, 3)
    assert.deepEqual(await surveyJournal(small.table, 't'), { depth: 3, oldestAt: 1_002, parked: 2 })
    assert.equal(small.reads(), 1)
  })

  it('sees what waits behind pages full of parked rows', async () => {
    assert.deepEqual(await surveyJournal(table(2_500, 3).table, 't'), { depth: 3, oldestAt: 3_500, parked: 2_500 })
  })

  it('goes on behind a page that ended at 1 MB', async () => {
    assert.deepEqual(await surveyJournal(table(5, 3, 4).table, 't'), { depth: 3, oldestAt: 1_005, parked: 5 })
  })

  it('reads no more than it must, whatever lies there', async () => {
    const deep = table(0, 9_000)
    assert.equal((await surveyJournal(deep.table, 't')).depth, SURVEYED_WAITING)
    assert.equal(deep.reads(), 1)
    const full = table(50_000, 1)
    await surveyJournal(full.table, 't')
    assert.equal(full.reads(), SURVEYED_PAGES)
  })
})
