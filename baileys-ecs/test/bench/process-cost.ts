import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** What a process costs while nobody asks it for anything. */
export interface Cost {
  /** Resident memory, in MB. */
  readonly megabytes: number
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
export async function costOf(pid: number, ms: number): Promise<Cost> {
  const before = await cpuSeconds(pid)
  const started = performance.now()
  await delay(ms)
  const seconds = (performance.now() - started) / 1_000
  return { megabytes: await residentMegabytes(pid), cpuPercent: ((await cpuSeconds(pid)) - before) / seconds * 100 }
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number)
  return ((user ?? 0) + (system ?? 0)) / TICKS
}
