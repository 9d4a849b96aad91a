import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Lanes } from '../../src/journal/lanes.js'

interface One { readonly at: number; readonly lanes: readonly string[] }

describe('lanes', () => {
  it('keep the order of all that share one, directly or through one that stands in both, and hold up nothing else', () => {
    const lanes = new Lanes<string>()
    assert.equal(lanes.add('by phone', ['phone']), true)
    assert.equal(lanes.add('by both', ['lid', 'phone']), false)
    assert.equal(lanes.add('by lid', ['lid']), false)
    assert.equal(lanes.add('somebody else', ['other']), true)
    assert.deepEqual(lanes.done('by phone', ['phone']), ['by both'])
    assert.deepEqual(lanes.done('by both', ['lid', 'phone']), ['by lid'])
    assert.deepEqual(lanes.done('by lid', ['lid']), [])
    assert.equal(lanes.add('later', ['lid', 'phone']), true)
  })

  it('bring everything once, in order within each, whatever is done with first', () => {
    const some = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }), { maxLength: 30 })
    fc.assert(fc.property(some, fc.infiniteStream(fc.nat()), (given, choices) => {
      const lanes = new Lanes<One>()
      const all = given.map((names, at) => ({ at, lanes: names }))
      const ready: One[] = []
      const done: One[] = []
      const finish = (): void => {
        const [one] = ready.splice((choices.next().value ?? 0) % ready.length, 1)
        if (one === undefined) return
        done.push(one)
        ready.push(...lanes.done(one, one.lanes))
      }
      for (const one of all) {
        if (lanes.add(one, one.lanes)) ready.push(one)
        if (ready.length > 0 && (choices.next().value ?? 0) % 2 === 0) finish()
      }
      while (ready.length > 0) finish()
      assert.deepEqual(done.map(({ at }) => at).sort((a, b) => a - b), all.map(({ at }) => at))
      for (const name of ['a', 'b', 'c', 'd']) {
        const inLane = done.filter(one => one.lanes.includes(name)).map(({ at }) => at)
        assert.deepEqual(inLane, [...inLane].sort((a, b) => a - b))
      }
    }))
  })
})
