import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConflictError, NotFoundError } from '../src/index.js'
import { eventually } from './support/eventually.js'
import type { Gateway } from './support/gateway.js'
import { scene } from './support/scene.js'

/** A code that the device shows and the server knows of. */
async function shownCode(gateway: Gateway, phone: string): Promise<string> {
  const code = await gateway.socket.requestPairingCode(phone)
  await eventually('the request', () => gateway.simulator.received('iq').some(({ stanza }) => stanza.attrs.xmlns === 'md'))
  return code
}

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

  it('links a device by a code that is typed on the phone', async t => {
    const { business, gateway } = await scene(t, { paired: false })
    gateway.connect()
    await gateway.qr()
    const code = await shownCode(gateway, business.phone)

    await business.enterCode(`${code.slice(0, 4)}-${code.slice(4)}`.toLowerCase())

    assert.equal(await gateway.closed(), 515)
    await gateway.open()
    assert.ok(business.connected)
    assert.equal(gateway.auth.creds.me?.id, '972500000001:1@s.whatsapp.net')
    await assert.rejects(business.enterCode(code), NotFoundError)
  })

  it('refuses a wrong code, and takes the right one after it', async t => {
    const { business, gateway } = await scene(t, { paired: false })
    gateway.connect()
    await gateway.qr()
    await assert.rejects(business.enterCode('AAAAAAAA'), NotFoundError)
    const code = await shownCode(gateway, business.phone)

    await assert.rejects(business.enterCode('AAAAAAAA'), ConflictError)
    await business.enterCode(code)

    assert.equal(await gateway.closed(), 515)
  })

  for (const [what, phone, fault, code] of [
    ['a number that nobody has', '972509999999', null, '404'], ['who asked too often', '972500000001', '429', '429'],
  ] as const) {
    it(`tells a device the error for ${what}`, async t => {
      const { gateway, simulator } = await scene(t, { paired: false })
      simulator.setFaults({ pairingCode: fault })
      gateway.connect()
      await gateway.qr()
      await gateway.socket.requestPairingCode(phone)
      const refusal = await eventually('the refusal', () => simulator.log.after().find(({ dir, stanza }) => dir === 'out' && stanza.attrs.type === 'error'))
      assert.match(JSON.stringify(refusal.stanza.content), new RegExp(`"code":"${code}"`))
    })
  }

  it('runs out of QR codes', async t => {
    const { gateway, simulator } = await scene(t, { paired: false })
    simulator.setFaults({ qrCodes: 0 })
    gateway.connect()
    assert.equal(await gateway.closed(), 408)
  })

  it('refuses a device that was unlinked', async t => {
    const { business, gateway } = await scene(t)
    await gateway.stop()
    business.devices.clear()
    gateway.connect()
    assert.equal(await gateway.closed(), 401)
  })
})
