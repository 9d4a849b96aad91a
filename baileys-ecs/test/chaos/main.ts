/**
 * `make chaos-gateway KILLS=500`: a rolling replacement of two containers with 20 numbers, then kill -9 at random moments
 * under two-way traffic on five numbers. `SEED=...` repeats the moments of an earlier run, `NUMBERS=0` leaves the replacement out.
 *
 * Ends with one line of counts, and with 1 if a message was lost or doubled. SIGINT and SIGTERM end the killing; what
 * was done until then is counted as usual.
 */
import { randomInt } from 'node:crypto'
import { whole } from '../support/arguments.js'
import { startEmulator } from '../support/emulator.js'
import { chaos, harm, lineOf, rollingReplacement } from '../support/chaos.js'

const kills = whole('KILLS', 500, 1)
const numbers = whole('NUMBERS', 20)
const seed = whole('SEED', randomInt(2 ** 31))
const say = (line: string): void => { process.stdout.write(`${line}\n`) }

const enough = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { enough.abort() })

const cleanups: (() => unknown)[] = []
const started = performance.now()
say(`SEED=${seed} KILLS=${kills}`)
const emulator = await startEmulator()
try {
  const t = { after: ((cleanup: () => unknown) => { cleanups.push(cleanup) }) as never }
  const rolling = numbers === 0 ? undefined : await rollingReplacement(t, emulator, numbers, say)
  if (rolling !== undefined) say(`rolling replacement of 2 containers with ${numbers} numbers: ${lineOf(rolling)}`)
  const counts = await chaos(t, emulator, { kills, seed, progress: say, enough: enough.signal })
  if (counts.unsent > 0) say(`${counts.unsent} answers never arrived`)
  if (counts.disordered > 0) say(`${counts.disordered} messages were not in the order of their chat`)
  say(`${Math.round((performance.now() - started) / 60_000)} minutes`)
  say(lineOf(counts))
  process.exitCode = (rolling === undefined ? 0 : harm(rolling)) + harm(counts) > 0 ? 1 : 0
} finally {
  for (const cleanup of cleanups) await cleanup()
  await emulator.stop()
}
process.exit() // with the exit code above: timers of Baileys outlive its sockets
