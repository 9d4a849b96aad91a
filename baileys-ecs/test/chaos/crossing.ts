/**
 * `make crossing-gateway ANSWERS=1000`: answers that cross bursts of the customers they go to, by LID and by phone, with
 * 5-50 ms of store latency. Ends with one line of counts, and with 1 unless all were decrypted at the first try.
 */
import { whole } from '../support/arguments.js'
import { cross, lineOf } from '../support/crossing.js'
import { longRun } from '../support/long-run.js'

const answers = whole('ANSWERS', 1_000, 1)

await longRun(async ({ t, emulator }) => {
  const crossed = await cross(t, emulator, answers)
  const { retries, resent, wrong } = crossed
  return { holds: retries + resent + wrong === 0, line: lineOf(crossed) }
})
