import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { GatewayProcess } from '../support/gateway-process.js'
import { memoryOf, MEGABYTE } from '../support/memory.js'

/** What a process costs while nobody asks it for anything. */
export interface Cost {
  /** Resident memory, in MB: with what V8 keeps for later. */
  readonly megabytes: number
  /** Objects and buffers after a full collection, in MB. */
  readonly heldMegabytes: number
  /** Share of one core, in percent. */
  readonly cpuPercent: number
}

/** Ticks of `/proc/<pid>/stat` a second; Linux shows 100 on every machine. */
const TICKS = 100

export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024
}

/** Looks on for `ms`. Reads `/proc`, so on Linux only. */
export async function costOf(process: GatewayProcess, ms: number): Promise<Cost> {
  const { pid } = process
  const before = await cpuSeconds(pid)
  const started = performance.now()
  await delay(ms)
  const seconds = (performance.now() - started) / 1_000
  const cpuPercent = ((await cpuSeconds(pid)) - before) / seconds * 100
  const megabytes = await residentMegabytes(pid) // before the collection, which is no part of idling
  return { megabytes, cpuPercent, heldMegabytes: (await memoryOf(process)).held / MEGABYTE }
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number)
  return ((user ?? 0) + (system ?? 0)) / TICKS
}
