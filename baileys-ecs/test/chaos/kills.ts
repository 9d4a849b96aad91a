/**
 * `make chaos-gateway KILLS=500`: a rolling replacement of two containers with 20 numbers, then kill -9 at random moments
 * under two-way traffic on five numbers. `SEED=...` repeats the moments of an earlier run, `NUMBERS=0` leaves the replacement out.
 *
 * Ends with one line of counts, and with 1 if a message was lost or doubled. SIGINT and SIGTERM end the killing; what
 * was done until then is counted as usual.
 */
import { randomInt } from 'node:crypto'
import { whole } from '../support/arguments.js'
import { chaos, faultsOf, harm, lineOf, rollingReplacement } from '../support/chaos.js'
import { longRun } from '../support/long-run.js'

const kills = whole('KILLS', 500, 1)
const numbers = whole('NUMBERS', 20)
const seed = whole('SEED', randomInt(2 ** 31))

await longRun(async ({ t, emulator, say, enough }) => {
  say(`SEED=${seed} KILLS=${kills}`)
  const rolling = numbers === 0 ? undefined : await rollingReplacement(t, emulator, numbers, say)
  if (rolling !== undefined) say(`rolling replacement of 2 containers with ${numbers} numbers: ${lineOf(rolling)}`)
  const counts = await chaos(t, emulator, { kills, seed, progress: say, enough })
  say(faultsOf(counts))
  return { holds: (rolling === undefined ? 0 : harm(rolling)) + harm(counts) === 0, line: lineOf(counts) }
})
