import { setTimeout as delay } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { AS_THEY_COME, Traffic, type Chat, type Counts } from './chaos.js'
import { freePort, type Emulator } from './emulator.js'
import { createScene, type Api, type Scene } from './scene.js'
import type { GatewayProcess } from './gateway-process.js'

type Test = Pick<TestContext, 'after'>
interface Running { readonly scene: Scene; readonly traffic: Traffic; readonly gateway: Api & { readonly process: GatewayProcess } }

const NUMBERS = 3
const EVERY_MS = 500
/** Traffic before the outage, so that it hits sessions that exist. */
const BEFORE_MS = 3_000

async function underTraffic(t: Test, emulator: Emulator, settings: Readonly<Record<string, string>> = {}): Promise<Running> {
  const scene = await createScene(t, emulator, { ...AS_THEY_COME, PORT: String(await freePort()), ...settings })
  scene.aws.latencyMs = [1, 10]
  const gateway = await scene.spawn()
  const traffic = new Traffic(scene)
  await traffic.link([gateway], NUMBERS)
  traffic.start(EVERY_MS)
  await delay(BEFORE_MS)
  return { scene, traffic, gateway }
}

/** The webhook breaks off every connection for `ms`, and the gateway is killed with -9 in the middle of that. */
export async function webhookDown(t: Test, emulator: Emulator, ms: number): Promise<Counts> {
  const { scene, traffic, gateway } = await underTraffic(t, emulator)
  scene.webhook.isDown = true
  await delay(ms / 2)
  await gateway.process.kill('SIGKILL')
  const again = await scene.spawn()
  await delay(ms / 2)
  scene.webhook.isDown = false
  for (const { tenant } of traffic.chats) await again.canSend(tenant)
  return traffic.settle()
}

/** The database refuses every call for `ms`. */
export async function tableDown(t: Test, emulator: Emulator, ms: number): Promise<Counts & { readonly nacked: number }> {
  // Shorter than the lease, so that a number's socket ends for a refused write before the container lets go of everything.
  const { scene, traffic, gateway } = await underTraffic(t, emulator, { STORE_RETRY_MS: '2000' })
  scene.aws.refuse = () => true
  await delay(ms)
  scene.aws.refuse = () => false
  for (const { tenant } of traffic.chats) await gateway.canSend(tenant)
  const counts = await traffic.settle()
  return { ...counts, nacked: traffic.chats.reduce((sum, { business }) => sum + business.counts.refused, 0) }
}

/**
 * Sockets are cut while the database takes 20 to 80 ms for each call, each in the moment in which a message and the step of
 * its ratchet are in the table, and its receipt is not sent.
 */
export async function socketsCut(t: Test, emulator: Emulator, cuts: number): Promise<Counts & { readonly redelivered: number }> {
  const { scene, traffic, gateway } = await underTraffic(t, emulator, { RECONNECT_BASE_MS: '50' })
  scene.aws.latencyMs = [20, 80]
  for (let cut = 0; cut < cuts; cut++) {
    const { tenant, business } = traffic.chats[cut % NUMBERS] as Chat
    await gateway.canSend(tenant)
    await new Promise<void>(done => {
      scene.aws.hold = ({ body }) => {
        if (!body.includes(`JOURNAL#${tenant}"`) || !body.includes('"kind":{"S":"message"}')) return
        scene.aws.hold = () => undefined
        business.disconnect('tcp')
        done()
      }
    })
  }
  const counts = await traffic.settle()
  return { ...counts, redelivered: scene.simulator.counts().redelivered }
}
