import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { deferred } from '../../src/concurrency/deferred.js'
import { OneEach } from '../../src/concurrency/one-each.js'
import { Observer, type Container } from '../../src/lease/observer.js'
import { shareOf } from '../../src/lease/share.js'
import { Placement } from '../../src/session/placement.js'
import type { StoredSession } from '../../src/store/session-records.js'

const container = (id: string, beat = 1, change: Partial<Container> = {}): Container =>
  ({ id, url: `http://${id}`, beat, capacity: 100, draining: false, ...change })

describe('the share of a container', () => {
  const capacities = fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 8 })
  const shares = (all: readonly number[], sessions: number): number[] =>
    all.map((mine, i) => shareOf(mine, all.filter((_, j) => j !== i), sessions))

  it('leaves no session without a container while there is room, and overloads none', () => {
    fc.assert(fc.property(capacities, fc.nat({ max: 300 }), (all, sessions) => {
      const each = shares(all, sessions)
      const room = all.reduce((sum, capacity) => sum + capacity, 0)
      assert.ok(each.reduce((sum, share) => sum + share, 0) >= Math.min(room, sessions))
      each.forEach((share, i) => { assert.ok(share <= (all[i] ?? 0)) })
    }))
  })

  it('is even: nobody below its capacity has less than another', () => {
    fc.assert(fc.property(capacities, fc.nat({ max: 300 }), (all, sessions) => {
      const each = shares(all, sessions)
      const most = Math.max(...each)
      each.forEach((share, i) => { assert.ok(share === most || share === all[i]) })
    }))
  })

  it('is what it looks like', () => {
    assert.deepEqual(shares([100, 100], 20), [10, 10])
    assert.deepEqual(shares([100, 100, 100], 20), [7, 7, 7])
    assert.deepEqual(shares([3, 100], 20), [3, 17])
    assert.deepEqual(shares([100], 20), [20])
    assert.deepEqual(shares([0, 100], 20), [0, 20])
  })
})

describe('an observer', () => {
  it('calls a container fallen when its counter stood still for the lease on the observer\'s own clock', () => {
    const observer = new Observer(1_000)
    observer.see([container('a', 7)], 5_000)
    observer.see([container('a', 7)], 5_900)
    assert.equal(observer.isAlive('a', 5_999), true)
    assert.equal(observer.isAlive('a', 6_000), false)
    observer.see([container('a', 8)], 6_500)
    assert.equal(observer.isAlive('a', 7_400), true)
  })

  it('never calls one fallen that beats more often than the lease, whatever its counter says', () => {
    fc.assert(fc.property(fc.array(fc.record({ wait: fc.nat({ max: 999 }), beat: fc.nat() }), { minLength: 1 }), steps => {
      const observer = new Observer(1_000)
      let at = 0
      let last = -1
      for (const { wait, beat } of steps) {
        at += wait
        last = beat === last ? beat + 1 : beat
        assert.ok(observer.isAlive('a', at) || at === wait)
        observer.see([container('a', last)], at)
      }
    }))
  })

  it('knows that somebody is about to let sessions go, until that one has gone or fallen', () => {
    const observer = new Observer(1_000)
    observer.see([container('a'), container('b', 1, { draining: true })], 0)
    assert.equal(observer.isAnyLeaving(999), true)
    assert.equal(observer.isAnyLeaving(1_000), false)
    observer.see([container('a', 2)], 500)
    assert.equal(observer.isAnyLeaving(600), false)
  })

  it('takes a container without a row for gone, and one that it gave up for fallen until it moves', () => {
    const observer = new Observer(1_000)
    assert.equal(observer.isAlive('a', 0), false)
    observer.see([container('a', 1)], 0)
    observer.giveUp('a')
    observer.see([container('a', 1)], 1)
    assert.equal(observer.isAlive('a', 1), false)
    observer.see([container('a', 2)], 2)
    assert.equal(observer.isAlive('a', 2), true)
  })
})

describe('the placement of sessions', () => {
  const rows = (count: number, change: (i: number) => Partial<StoredSession> = () => ({})): StoredSession[] =>
    Array.from({ length: count }, (_, i) => ({ tenantId: `t${i}`, desired: 'linked', ...change(i) }))
  const held = (...ids: number[]): { tenantId: string; movable: boolean }[] => ids.map(i => ({ tenantId: `t${i}`, movable: true }))
  const placement = (): Placement => new Placement({ self: 'me', capacity: 100, rebalanceMs: 10, leaseMs: 1_000, random: () => 0.5 })
  const observing = (...containers: Container[]): Observer => {
    const observer = new Observer(1_000)
    observer.see([container('me'), ...containers], 0)
    return observer
  }
  const ids = (claim: readonly StoredSession[]): string[] => claim.map(({ tenantId }) => tenantId).sort()

  it('takes free and fallen sessions up to its share, and never one with a living owner', () => {
    const observer = observing(container('b'))
    const sessions = rows(6, i => i < 3 ? {} : i < 5 ? { ownerId: 'gone' } : { ownerId: 'b' })
    assert.equal(placement().decide(sessions, [], observer, 0).claim.length, 3) // half of six
    assert.deepEqual(ids(placement().decide(sessions, [], observing(), 0).claim), ['t0', 't1', 't2', 't3', 't4', 't5'])
    assert.deepEqual(placement().decide(rows(1, () => ({ ownerId: 'b' })), [], observer, 0).claim, [])
  })

  it('takes everything when the other one is leaving, and what its own lapsed lease left behind in any case', () => {
    assert.equal(placement().decide(rows(6), [], observing(container('b', 1, { draining: true })), 0).claim.length, 6)
    const mine = rows(6, () => ({ ownerId: 'me' }))
    assert.equal(placement().decide(mine, [], observing(container('b')), 0).claim.length, 6)
  })

  it('says how many sessions nobody has room for', () => {
    const small = new Placement({ self: 'me', capacity: 2, rebalanceMs: 10, leaseMs: 1_000, random: () => 0 })
    const { claim, without } = small.decide(rows(5), [], observing(container('b', 1, { capacity: 1 })), 0)
    assert.deepEqual([claim.length, without], [2, 2])
  })

  it('gives away one at a time, to a container that has lived for a whole lease, while nothing is free', () => {
    const place = placement()
    const observer = observing(container('b', 1))
    const sessions = rows(4, () => ({ ownerId: 'me' }))
    assert.equal(place.decide(sessions, held(0, 1, 2, 3), observer, 0).giveAway, undefined)
    observer.see([container('me', 2), container('b', 2)], 1_000)
    assert.equal(place.decide(sessions, held(0, 1, 2, 3), observer, 1_000).giveAway, 't0')
    assert.equal(place.decide(sessions, held(1, 2, 3), observer, 1_005).giveAway, undefined) // too soon
    const freed = rows(4, i => i === 0 ? {} : { ownerId: 'me' })
    assert.equal(place.decide(freed, held(1, 2, 3), observer, 1_100).giveAway, undefined) // the last one is not taken yet
    const taken = rows(4, i => ({ ownerId: i === 0 ? 'b' : 'me' }))
    assert.equal(place.decide(taken, held(1, 2, 3), observer, 1_200).giveAway, 't1')
    assert.equal(place.decide(taken, held(2, 3), observer, 1_300).giveAway, undefined) // even
  })

  it('moves no session that is sending', () => {
    const place = placement()
    const observer = observing(container('b', 1))
    const sessions = rows(2, () => ({ ownerId: 'me' }))
    place.decide(sessions, [], observer, 0)
    observer.see([container('me', 2), container('b', 2)], 1_000)
    const busy = [{ tenantId: 't0', movable: false }, { tenantId: 't1', movable: true }]
    assert.equal(place.decide(sessions, busy, observer, 1_000).giveAway, 't1')
  })
})

describe('steps of sessions', () => {
  it('run one at a time for each, beside one another; a failed one is told and holds up nothing', async () => {
    const failures: string[] = []
    const steps = new OneEach(key => { failures.push(key) })
    const began: string[] = []
    const gate = deferred<undefined>()
    const first = steps.run('a', async () => {
      began.push('a')
      await gate.promise
      throw new Error('a step that fails')
    })
    await steps.run('a', () => Promise.resolve(void began.push('a again')))
    await steps.run('b', () => Promise.resolve(void began.push('b')))
    assert.deepEqual([began, steps.has('a'), steps.has('b')], [['a', 'b'], true, false])
    gate.resolve(undefined)
    await Promise.all([first, steps.ended('a'), steps.ended('nobody')])
    assert.deepEqual([failures, steps.has('a')], [['a'], false])
  })
})
