import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { cross, lineOf } from '../support/crossing.js'
import { startEmulator, type Emulator } from '../support/emulator.js'

/** `make crossing-gateway` does it with 1,000. */
const ANSWERS = 156

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

describe('answers that cross a customer\'s bursts', () => {
  it('are all decrypted by the customer at the first try with 5-50 ms of store latency, by LID and by phone', async t => {
    const crossed = await cross(t, emulator, ANSWERS)
    t.diagnostic(lineOf(crossed))
    assert.ok(crossed.answers >= ANSWERS)
    assert.deepEqual({ ...crossed, answers: 0 }, { answers: 0, retries: 0, resent: 0, wrong: 0 })
  })
})
