import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NotFoundError } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { scene } from './support/scene.js'

describe('Pairing', () => {
  it('links a device by QR code, asks it to restart, and lets it log in', async t => {
    const { business, gateway, simulator } = await scene(t, { paired: false })
    gateway.connect()

    const device = business.scan(await gateway.qr())

    assert.equal(await gateway.closed(), 515)
    await gateway.open()
    assert.equal(gateway.auth.creds.me?.id, '972500000001:1@s.whatsapp.net')
    assert.equal(gateway.auth.creds.me.lid, '9972500000001:1@lid')
    assert.ok(business.connected)
    await eventually('the uploaded keys', () => device.preKeys.length > 800)
    await eventually('the history sync to be confirmed', () => business.counts.acknowledged === 1 && device.unconfirmed === 0)
    assert.deepEqual(simulator.unhandled.after(), [])
    assert.deepEqual(simulator.problems.after(), [])
  })

  it('logs in again without a second history sync', async t => {
    const { business, gateway } = await scene(t)
    await eventually('the history sync to be confirmed', () => business.counts.acknowledged === 1)
    await gateway.stop()
    await gateway.open()
    assert.equal(business.counts.delivered, 1)
    assert.equal(business.devices.get(1)?.logins, 2)
  })

  it('knows a QR code only while it is shown', async t => {
    const { business, gateway } = await scene(t, { paired: false })
    gateway.connect()
    const qr = await gateway.qr()
    assert.throws(() => business.scan('https://wa.me/settings/linked_devices#2@nobody,a,b,c,1'), NotFoundError)

    await gateway.stop()
    await gateway.closed()

    await eventually('the code to expire', () => {
      try {
        business.scan(qr)
      } catch (error) {
        return error instanceof NotFoundError
      }
      throw new Error('the code of a closed connection was accepted')
    })
  })

  it('refuses a device that was unlinked', async t => {
    const { business, gateway } = await scene(t)
    await gateway.stop()
    business.devices.clear()
    gateway.connect()
    assert.equal(await gateway.closed(), 401)
  })
})
