/**
 * `make outage-gateway OUTAGE=60`: under two-way traffic on three numbers the webhook is down for 60 s and the gateway killed
 * meanwhile; the database refuses everything for 60 s; sockets are cut while the database is slow. Ends with one line of
 * counts over all, and with 1 if a message was lost, doubled or out of order.
 */
import { whole } from '../support/arguments.js'
import { faultsOf, harm, lineOf, sumOf } from '../support/chaos.js'
import { longRun } from '../support/long-run.js'
import { socketsCut, tableDown, webhookDown } from '../support/outages.js'

const seconds = whole('OUTAGE', 60, 1)
const cuts = whole('CUTS', 60)

await longRun(async ({ t, emulator, say }) => {
  const webhook = await webhookDown(t, emulator, seconds * 1_000)
  say(`webhook down for ${seconds} s, killed meanwhile: ${lineOf(webhook)} ${faultsOf(webhook)}`)
  const table = await tableDown(t, emulator, seconds * 1_000)
  say(`database refuses for ${seconds} s: ${lineOf(table)} ${faultsOf(table)} refused_to_whatsapp=${table.nacked}`)
  const cut = await socketsCut(t, emulator, cuts)
  say(`${cuts} sockets cut between decryption and receipt, 20-80 ms of store latency: ${lineOf(cut)} ${faultsOf(cut)} redelivered=${cut.redelivered}`)
  const all = sumOf([webhook, table, cut])
  return { holds: harm(all) + table.nacked === 0, line: lineOf(all) }
})
