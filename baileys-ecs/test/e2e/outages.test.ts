import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { faultsOf, harm, lineOf, type Counts } from '../support/chaos.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { socketsCut, tableDown, webhookDown } from '../support/outages.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

/** `make outage-gateway` does it with 60 s and 60 cuts. */
const OUTAGE_MS = 8_000
const CUTS = 9

const isWhole = (counts: Counts): void => {
  assert.ok(counts.received > 20 && counts.sent > 5, lineOf(counts))
  assert.equal(harm(counts), 0, `${lineOf(counts)} ${faultsOf(counts)}`)
}

describe('under traffic both ways', () => {
  it('a webhook that is down while the gateway is killed gets everything, in order within each chat', async t => {
    const counts = await webhookDown(t, emulator, OUTAGE_MS)
    t.diagnostic(lineOf(counts))
    isWhole(counts)
  })

  it('a database that refuses everything makes nobody lose a message, and nothing is refused to WhatsApp', async t => {
    const counts = await tableDown(t, emulator, OUTAGE_MS)
    t.diagnostic(lineOf(counts))
    isWhole(counts)
    assert.equal(counts.nacked, 0)
  })

  it('sockets that are cut between decryption and receipt, with a slow database, lose nothing', async t => {
    const counts = await socketsCut(t, emulator, CUTS)
    t.diagnostic(`${lineOf(counts)} redelivered=${counts.redelivered}`)
    isWhole(counts)
    assert.ok(counts.redelivered >= CUTS, `${counts.redelivered} redelivered`) // each cut came before a receipt
  })
})
