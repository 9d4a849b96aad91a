import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Spacing } from '../../src/concurrency/spacing.js'

const SPACING_MS = 20
const monotonic = (): number => performance.now()

describe('those who take turns', () => {
  it('keep their distance when a busy process lets the timers of several come at once', async () => {
    const spacing = new Spacing(SPACING_MS, monotonic)
    const passed: number[] = []
    const all = Array.from({ length: 6 }, async () => {
      await spacing.turn()
      passed.push(monotonic())
    })
    await new Promise(done => { setImmediate(done) }) // the first one has passed, the others wait
    for (const until = monotonic() + 5 * SPACING_MS; monotonic() < until;) { /* busy */ }
    await Promise.all(all)
    const distances = passed.slice(1).map((at, i) => at - (passed[i] ?? 0))
    assert.ok(distances.every(distance => distance >= SPACING_MS - 1), distances.join(', '))
  })

  it('leave the line when they are told to, without a place in it', async () => {
    const spacing = new Spacing(60_000, monotonic)
    await spacing.turn()
    const stop = new AbortController()
    const waiting = spacing.turn(stop.signal)
    stop.abort()
    await waiting
  })
})
