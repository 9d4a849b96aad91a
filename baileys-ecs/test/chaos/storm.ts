/**
 * `make storm-gateway NUMBERS=100`: WhatsApp ends the sockets of 100 numbers at once and refuses them for 20 s. Ends with the
 * connections opened in each second, and with 1 if they were more than the spacing of starts allows.
 */
import { whole } from '../support/arguments.js'
import { longRun } from '../support/long-run.js'
import { lineOf, mostASecond, storm } from '../support/storm.js'

/** As it comes. */
const SPACING_MS = 50
const numbers = whole('NUMBERS', 100, 1)

await longRun(async ({ t, emulator }) => {
  const seen = await storm(t, emulator, numbers, 20_000, SPACING_MS)
  return { holds: seen.worst <= mostASecond(SPACING_MS), line: lineOf(seen) }
})
