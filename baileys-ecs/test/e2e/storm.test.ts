import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { lineOf, mostASecond, storm } from '../support/storm.js'

/** `make storm-gateway` does it with 100, at the spacing as it comes. */
const NUMBERS = 10
/** So wide that ten sockets at once would show. */
const SPACING_MS = 250

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

describe('many numbers whose sockets end at once, and whose upgrades are refused', () => {
  it('come back one after another, without a storm, and all of them', async t => {
    const seen = await storm(t, emulator, NUMBERS, 4_000, SPACING_MS)
    t.diagnostic(lineOf(seen))
    assert.ok(seen.worst <= mostASecond(SPACING_MS), lineOf(seen))
    assert.ok(seen.perSecond.reduce((a, b) => a + b, 0) >= NUMBERS)
  })
})
