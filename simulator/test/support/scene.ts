import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { UserFacingSocketConfig } from '@whiskeysockets/baileys'
import { type Business, type Customer, type CustomerSettings, Simulator } from '../../src/index.js'
import { Gateway } from './gateway.js'

export interface Scene {
  readonly simulator: Simulator
  readonly business: Business
  readonly customer: Customer
  readonly gateway: Gateway
}

interface SceneOptions {
  readonly paired?: boolean
  readonly customer?: Partial<CustomerSettings>
  readonly gateway?: Partial<UserFacingSocketConfig>
}

/**
 * A simulator with one business and one customer, and Baileys paired with the business; all gone after the test, which must leave no
 * error of the simulator's own and no query that it had no answer for.
 */
export async function scene(t: TestContext, { paired = true, customer, gateway: options }: SceneOptions = {}): Promise<Scene> {
  const simulator = await Simulator.start()
  simulator.trustHere()
  const business = simulator.addBusiness({ phone: '972500000001', name: 'Studio' })
  const gateway = new Gateway(simulator, options)
  t.after(async () => {
    await gateway.stop()
    await simulator.stop()
    assert.deepEqual(simulator.problems.after(), [])
    assert.deepEqual(simulator.unhandled.after(), [])
  })
  const dana = simulator.addCustomer({ phone: '972521111111', name: 'Dana' }, customer)
  if (paired) await gateway.pair(business)
  return { simulator, business, customer: dana, gateway }
}
