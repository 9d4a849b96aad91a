import type { TestContext } from 'node:test'
import { startEmulator, type Emulator } from './emulator.js'

export interface LongRun {
  readonly t: Pick<TestContext, 'after'>
  readonly emulator: Emulator
  readonly say: (line: string) => void
  /** Raised by SIGINT and SIGTERM: do no more, and count. */
  readonly enough: AbortSignal
}

/**
 * Runs a proof outside of the tests and ends the process: with 0 if it holds.
 *
 * @param work gives whether it holds, and the line that sums it up
 */
export async function longRun(work: (run: LongRun) => Promise<{ readonly holds: boolean; readonly line: string }>): Promise<never> {
  const enough = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { enough.abort() })
  const say = (line: string): void => { process.stdout.write(`${line}\n`) }
  const cleanups: (() => unknown)[] = []
  const started = performance.now()
  const emulator = await startEmulator()
  try {
    const t = { after: ((cleanup: () => unknown) => { cleanups.push(cleanup) }) as never }
    const { holds, line } = await work({ t, emulator, say, enough: enough.signal })
    say(`${Math.round((performance.now() - started) / 1_000)} seconds`)
    say(line)
    process.exitCode = holds ? 0 : 1
  } finally {
    for (const cleanup of cleanups) await cleanup()
    await emulator.stop()
  }
  process.exit() // with the exit code above: timers of Baileys outlive its sockets
}
