import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BoundedMap, Journal } from '../src/journal.js'
import { Lock } from '../src/lock.js'

describe('A journal', () => {
  it('remembers the newest entries under indices that never change', () => {
    const journal = new Journal<{ n: number }>(10)
    for (let n = 1; n <= 1_000; n++) journal.append({ n })
    assert.equal(journal.total, 1_000)
    assert.deepEqual(journal.after().map(({ index }) => index), [991, 992, 993, 994, 995, 996, 997, 998, 999, 1000])
    assert.deepEqual(journal.after(998), [{ n: 999, index: 999 }, { n: 1000, index: 1000 }])
    assert.deepEqual(journal.after(1_000), [])
  })

  it('wakes those who wait, only once there is something new for them', async () => {
    const journal = new Journal<{ n: number }>(10)
    const second = journal.waitAfter(1, 30_000)
    journal.append({ n: 1 })
    journal.append({ n: 2 })
    assert.deepEqual(await second, [{ n: 2, index: 2 }])
    assert.deepEqual(await journal.waitAfter(0, 0), [{ n: 1, index: 1 }, { n: 2, index: 2 }])
    assert.deepEqual(await journal.waitAfter(2, 10), [])
  })
})

describe('A bounded map', () => {
  it('forgets its oldest keys', () => {
    const map = new BoundedMap<string, number>(2)
    map.set('a', 1).set('b', 2).set('c', 3)
    assert.deepEqual([...map.keys()], ['b', 'c'])
  })
})

describe('A lock', () => {
  it('lets work run one after the other in the order of asking, also after a failure', async () => {
    const lock = new Lock()
    const order: string[] = []
    const slow = lock.run(async () => {
      await new Promise(resolve => { setTimeout(resolve, 10) })
      order.push('slow')
    })
    const failing = lock.run(() => { throw new Error('no') })
    const quick = lock.run(() => order.push('quick'))
    await assert.rejects(failing, /no/)
    await Promise.all([slow, quick])
    assert.deepEqual(order, ['slow', 'quick'])
  })
})
