import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Event, MessageReceived } from '@kesher/contracts'
import { sign } from '../../src/webhook/signing.js'

/** The webhook as the gateway sees it: checks the signature, remembers events, and answers as it is told. */
export interface WebhookStub {
  readonly url: string
  /** Every event that was answered with 2xx, repeats included, in the order of their arrival. */
  readonly events: Event[]
  /** Every attempt: what came and what was answered. */
  readonly attempts: { readonly event: Event; readonly status: number; readonly timestamp: string }[]
  /** Status for an event; default 200. */
  answer: (event: Event) => number
  /** Breaks off every connection. */
  isDown: boolean
  badSignatures: number
  messages: () => MessageReceived[]
  texts: () => string[]
  stop: () => Promise<void>
}

export async function startWebhook(secret: string): Promise<WebhookStub> {
  const server = createServer((request, response) => {
    if (stub.isDown) {
      request.socket.destroy()
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const timestamp = String(request.headers['x-kesher-timestamp'])
      if (request.headers['x-kesher-signature'] !== sign(secret, Number(timestamp), body)) {
        stub.badSignatures++
        response.writeHead(401).end('{"error":"bad_signature"}')
        return
      }
      const event = JSON.parse(body.toString()) as Event
      const status = stub.answer(event)
      stub.attempts.push({ event, status, timestamp })
      if (status === 200) stub.events.push(event)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(status === 200 ? '{"result":"accepted"}' : '{"error":"stub","reason":"the test said so"}')
    })
  })
  await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
  const stub: WebhookStub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/whatsapp/webhook/incoming`,
    events: [], attempts: [], answer: () => 200, isDown: false, badSignatures: 0,
    messages: () => stub.events.filter(event => event.type === 'message.received'),
    texts: () => stub.messages().map(({ content }) => content.kind === 'text' ? content.text : `<${content.kind === 'unsupported' ? content.what : content.kind}>`),
    stop: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
  return stub
}
