import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The webhook of a measurement: notes when each message came, and accepts it. */
export interface Receiver {
  readonly url: string
  /** `performance.now()` of the first arrival, by message id. */
  readonly arrivedAt: Map<string, number>
  stop: () => Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const arrivedAt = new Map<string, number>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { messageId } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly messageId?: string }
      if (messageId !== undefined && !arrivedAt.has(messageId)) arrivedAt.set(messageId, performance.now())
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"result":"accepted"}')
    })
  })
  await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrivedAt,
    stop: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}
