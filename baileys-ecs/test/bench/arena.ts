import type { TestContext } from 'node:test'
import { Simulator, silenceConsole } from '@kesher/simulator'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { startNetwork, type Network } from '../support/network.js'
import { Contestant, type Name } from './contestants.js'
import { startReceiver, type Receiver } from './receiver.js'

silenceConsole()

/** Where the contestants meet: one WhatsApp at the end of one way, one webhook, one AWS. */
export interface Arena {
  readonly simulator: Simulator
  readonly network: Network
  readonly receiver: Receiver
  readonly emulator: Emulator
  enter: (name: Name, settings?: Readonly<Record<string, string>>) => Promise<Contestant>
}

export async function createArena(t: Pick<TestContext, 'after'>, emulator: Emulator): Promise<Arena> {
  const simulator = await Simulator.start({ logLimit: 5_000 })
  const network = await startNetwork(simulator.waUrl)
  const receiver = await startReceiver()
  const entered: Contestant[] = []
  t.after(async () => {
    await Promise.all(entered.map(({ process }) => process.kill('SIGKILL')))
    await network.stop()
    await simulator.stop()
    await receiver.stop()
  })
  const arena: Arena = {
    simulator, network, receiver, emulator,
    enter: async (name, settings = {}) => {
      const contestant = await Contestant.start(name, arena, settings)
      entered.push(contestant)
      return contestant
    },
  }
  return arena
}

/** The same outside of a test. */
export async function inArena<T>(work: (arena: Arena) => Promise<T>): Promise<T> {
  const cleanups: (() => unknown)[] = []
  const emulator = await startEmulator()
  try {
    return await work(await createArena({ after: ((cleanup: () => unknown) => { cleanups.push(cleanup) }) as never }, emulator))
  } finally {
    for (const cleanup of cleanups) await cleanup()
    await emulator.stop()
  }
}
