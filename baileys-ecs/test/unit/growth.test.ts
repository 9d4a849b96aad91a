import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { growth } from '../support/memory.js'

const samples = (...held: number[]): { held: number; resident: number }[] => held.map(value => ({ held: value, resident: 2 * value }))

describe('the growth of memory', () => {
  it('is that of the median of the last quarter over the median of the first', () => {
    const seen = growth(samples(100, 100, 100, 100, 500, 1, 1, 1, 110, 110, 110, 110))
    assert.deepEqual([seen?.held.toFixed(3), seen?.resident.toFixed(3)], ['0.100', '0.100'])
  })
  it('is not that of one high sample at either end', () => {
    assert.equal(growth(samples(900, 100, 100, 5, 5, 5, 5, 5, 5, 100, 100, 900))?.held, 0)
  })
  it('is not known from a few samples', () => {
    assert.equal(growth(samples(...Array.from({ length: 11 }, () => 100))), undefined)
  })
})
