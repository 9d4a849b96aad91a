import { eventually } from '../support/eventually.js'
import type { Arena } from './arena.js'

/** How long a number has no connection when its container ends by this signal and another one stands by, in ms. */
export async function handover(arena: Arena, signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
  const first = await arena.enter('gateway')
  const { business } = await first.link(1)
  const second = await arena.enter('gateway', { GATEWAY_TABLE: first.table, REBALANCE_MS: '0' })
  await eventually('the second container', async () => (await second.api.status('line_0')).state === 'connected') // it sees the row
  const from = performance.now()
  const ended = first.process.kill(signal)
  await eventually('the end', () => !business.connected)
  await eventually('the connection through the other one', () => business.connected)
  const gap = performance.now() - from
  await ended
  await second.process.kill('SIGKILL')
  return gap
}
