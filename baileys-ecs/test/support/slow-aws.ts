import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** One request to AWS: the operation, for example `TransactWriteItems`, and its body. */
export interface AwsCall {
  readonly operation: string
  readonly body: string
}

/** Stands before the emulator and is as slow and as moody as a network: the gateway's own code needs no test switch. */
export interface SlowAws {
  readonly url: string
  /** Least and most milliseconds added to each call. */
  latencyMs: readonly [number, number]
  /** Calls that get HTTP 500 and reach nobody. */
  refuse: (call: AwsCall) => boolean
  /** Calls that are carried out, and whose answer is lost. */
  loseAnswer: (call: AwsCall) => boolean
  /** Called before each call is passed on. */
  watch: (call: AwsCall) => void | Promise<void>
  /** Called with each call that was carried out, before its answer is passed on. */
  hold: (call: AwsCall) => void | Promise<void>
  stop: () => Promise<void>
}

const WRITES = new Set(['TransactWriteItems', 'PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'])
export const isWrite = ({ operation }: AwsCall): boolean => WRITES.has(operation)

export async function startSlowAws(target: string): Promise<SlowAws> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => { outgoing.destroy() })
  })
  await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
  const slow: SlowAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    latencyMs: [0, 0],
    refuse: () => false,
    loseAnswer: () => false,
    watch: () => undefined,
    hold: () => undefined,
    stop: async () => {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
      agent.destroy()
    },
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const call = { operation: String(incoming.headers['x-amz-target'] ?? '').split('.').at(-1) ?? '', body: body.toString() }
    const [least, most] = slow.latencyMs
    if (most > 0) await delay(least + Math.random() * (most - least))
    if (slow.refuse(call)) {
      outgoing.writeHead(500, { 'content-type': 'application/x-amz-json-1.0' })
      outgoing.end('{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"refused by the test"}')
      return
    }
    await slow.watch(call)
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(target + (incoming.url ?? '/'), { method: incoming.method, headers: incoming.headers, agent }, resolve)
        .on('error', reject).end(body)
    })
    const answered: Buffer[] = []
    for await (const chunk of answer) answered.push(chunk as Buffer)
    await slow.hold(call)
    if (slow.loseAnswer(call)) {
      outgoing.destroy()
      return
    }
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(Buffer.concat(answered))
  }
  return slow
}
