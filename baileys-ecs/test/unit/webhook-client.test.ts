import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import type { Event } from '@kesher/contracts'
import { webhookClient, type Delivery } from '../../src/webhook/client.js'
import { Secrets } from '../../src/webhook/secrets.js'
import { unsigned } from '../../src/webhook/sigv4.js'

const EVENT: Event = { version: 1, type: 'connection.updated', tenantId: 't', correlationId: 'c', state: 'connected', at: 1 }

/** Delivers one event to a server that behaves like this. */
async function deliverTo(t: TestContext, behave: RequestListener, timeoutMs = 10_000): Promise<Delivery> {
  const server = createServer(behave)
  await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const secrets = new Secrets(() => Promise.resolve({ current: 'secret' }), Date.now)
  return webhookClient({ url, secrets, signer: unsigned, timeoutMs, now: Date.now })(EVENT)
}

describe('a webhook', () => {
  it('that takes the event and never answers is asked again', async t => {
    assert.equal((await deliverTo(t, () => undefined, 200)).kind, 'failed')
  })

  it('that begins its answer and never ends it is asked again', async t => {
    assert.equal((await deliverTo(t, (_, response) => { response.writeHead(200).write('{"result":') }, 200)).kind, 'failed')
  })

  it('whose answer has no end is heard for its beginning only, long before the time is up', async t => {
    let written = 0
    const delivery = await deliverTo(t, (_, response) => {
      response.on('error', () => undefined).writeHead(200)
      const page = Buffer.alloc(16_384, 'x')
      const pour = (): void => {
        while (!response.destroyed && response.write(page)) written += page.length
        if (!response.destroyed) response.once('drain', pour)
      }
      pour()
    }, 60_000)
    assert.equal(delivery.kind, 'failed')
    assert.ok(written < 50_000_000, `${written} bytes were taken`)
  })

  it('that answers as it should has the event', async t => {
    assert.deepEqual(await deliverTo(t, (_, response) => { response.end('{"result":"accepted"}') }), { kind: 'accepted' })
  })
})
