import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { chaos, harm, lineOf, rollingReplacement } from '../support/chaos.js'
import { startEmulator, type Emulator } from '../support/emulator.js'

/** Spreads five kills over logins and full traffic; `make chaos-gateway` does it with hundreds. */
const SEED = 1

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

describe('kill -9 at random moments under two-way traffic on five numbers', () => {
  it('loses nothing and doubles nothing', async t => {
    const counts = await chaos(t, emulator, { kills: 5, seed: SEED, progress: line => { t.diagnostic(line) } })
    t.diagnostic(lineOf(counts))
    assert.ok(counts.received > 25 && counts.sent > 10, lineOf(counts))
    assert.equal(harm(counts), 0, lineOf(counts))
  })
})

describe('a rolling replacement of two containers under traffic', () => {
  it('loses nothing and doubles nothing', async t => {
    const counts = await rollingReplacement(t, emulator, 6, line => { t.diagnostic(line) })
    t.diagnostic(lineOf(counts))
    assert.ok(counts.received >= 6 && counts.sent >= 6, lineOf(counts))
    assert.equal(harm(counts), 0, lineOf(counts))
  })
})
