import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { AS_THEY_COME, Traffic } from './chaos.js'
import type { Emulator } from './emulator.js'
import { eventually } from './eventually.js'
import { startNetwork } from './network.js'
import { createScene } from './scene.js'

export interface Storm {
  /** Connections opened in each second from the end of all sockets on. */
  readonly perSecond: readonly number[]
  /** The most in any one second, wherever it begins. */
  readonly worst: number
  /** From WhatsApp's return until the last number can send, in ms. */
  readonly backMs: number
}

const SECOND_MS = 1_000
/** The longest pause of the backoff, a login, and a busy machine. */
const BACK_MS = 300_000

/** One socket every `spacingMs` (`START_SPACING_MS`), and one for a timer that comes late. */
export const mostASecond = (spacingMs: number): number => SECOND_MS / spacingMs + 1

export const lineOf = ({ perSecond, worst, backMs }: Storm): string =>
  `connections=${perSecond.reduce((a, b) => a + b, 0)} worst_second=${worst} all_back_after_s=${(backMs / SECOND_MS).toFixed(1)} per_second=${perSecond.join(',')}`

/** WhatsApp ends all sockets at once and refuses every upgrade for `awayMs`. */
export async function storm(t: Pick<TestContext, 'after'>, emulator: Emulator, numbers: number, awayMs: number, spacingMs: number): Promise<Storm> {
  const scene = await createScene(t, emulator, { ...AS_THEY_COME, RECONNECT_BASE_MS: '', CONNECT_TIMEOUT_MS: '8000', START_SPACING_MS: String(spacingMs) })
  const network = await startNetwork(scene.simulator.waUrl)
  t.after(() => network.stop())
  const gateway = await scene.spawn({ WA_WEBSOCKET_URL: network.url })
  const traffic = new Traffic(scene)
  await traffic.link([gateway], numbers)
  const { chats } = traffic
  const before = network.openedAt.length
  const from = performance.now()
  scene.simulator.setFaults({ refuseUpgrade: 503 })
  for (const { business } of chats) business.disconnect('close')
  await delay(awayMs)
  scene.simulator.clearFaults()
  const back = performance.now()
  for (const { tenant } of chats) await eventually(`${tenant} back`, async () => (await gateway.status(tenant)).canSend, BACK_MS)
  const opened = network.openedAt.slice(before).map(at => at - from)
  return { perSecond: bySecond(opened), worst: worstSecond(opened), backMs: performance.now() - back }
}

function bySecond(times: readonly number[]): number[] {
  const counts = Array.from({ length: Math.ceil((times.at(-1) ?? 0) / SECOND_MS) }, () => 0)
  for (const time of times) counts[Math.floor(time / SECOND_MS)] = (counts[Math.floor(time / SECOND_MS)] ?? 0) + 1
  return counts
}

const worstSecond = (times: readonly number[]): number =>
  Math.max(...times.map(start => times.filter(time => time >= start && time < start + SECOND_MS).length))
