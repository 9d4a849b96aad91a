/**
 * `make chaos-gateway KILLS=500`: a rolling replacement of two containers with 20 numbers, then kill -9 at random moments
 * under two-way traffic on five numbers.
 *
 * Ends with one line of counts, and with 1 if a message was lost or doubled.
 */
import { startEmulator } from '../support/emulator.js'
import { chaos, harm, lineOf, rollingReplacement } from '../support/chaos.js'

const kills = Number(process.env['KILLS'] ?? '500')
if (!Number.isInteger(kills) || kills < 1) throw new Error(`KILLS is "${process.env['KILLS'] ?? ''}": give a whole number from 1`)
const say = (line: string): void => { process.stdout.write(`${line}\n`) }

const cleanups: (() => unknown)[] = []
const emulator = await startEmulator()
try {
  const t = { after: ((cleanup: () => unknown) => { cleanups.push(cleanup) }) as never }
  const rolling = await rollingReplacement(t, emulator, 20, say)
  say(`rolling replacement of 2 containers with 20 numbers: ${lineOf(rolling)}`)
  const counts = await chaos(t, emulator, kills, say)
  for (const cleanup of cleanups) await cleanup()
  if (counts.unsent > 0) say(`${counts.unsent} answers never arrived`)
  say(lineOf(counts))
  process.exitCode = harm(rolling) + harm(counts) > 0 ? 1 : 0
} finally {
  await emulator.stop()
}
process.exit() // with the exit code above: timers of Baileys outlive its sockets
