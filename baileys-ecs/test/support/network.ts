import { createConnection, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** The way between a gateway and WhatsApp: as long as it is told, and it can be cut. */
export interface Network {
  /** The address behind which `target` answers, with the same path. */
  readonly url: string
  /** Milliseconds that everything takes in each direction; half of a round trip. */
  oneWayMs: number
  /** Connections opened so far: `performance.now()` of each. */
  readonly openedAt: number[]
  stop: () => Promise<void>
}

/** @param target for example the simulator's `waUrl` */
export async function startNetwork(target: string, oneWayMs = 0): Promise<Network> {
  const to = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer(near => {
    network.openedAt.push(performance.now())
    const far = createConnection({ host: to.hostname, port: Number(to.port), noDelay: true })
    near.setNoDelay(true)
    for (const [from, into] of [[near, far], [far, near]] as const) {
      sockets.add(from)
      carry(from, into, () => network.oneWayMs)
      from.once('close', () => { sockets.delete(from) })
    }
  })
  await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
  const here = new URL(target)
  here.port = String((server.address() as AddressInfo).port)
  const network: Network = {
    url: here.href, oneWayMs, openedAt: [],
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(done => server.close(done))
    },
  }
  return network
}

/** Each piece leaves `delay()` after it came, in order; pieces travel together and do not add up their delays. */
function carry(from: Socket, into: Socket, delay: () => number): void {
  const pieces: { readonly due: number; readonly leave: () => void }[] = []
  let timer: NodeJS.Timeout | undefined
  const leave = (): void => {
    timer = undefined
    for (let first = pieces[0]; first !== undefined; first = pieces[0]) {
      const wait = first.due - performance.now()
      if (wait > 0) {
        timer = setTimeout(leave, wait)
        return
      }
      pieces.shift()
      first.leave()
    }
  }
  const put = (act: () => void): void => {
    pieces.push({ due: performance.now() + delay(), leave: act })
    if (timer === undefined) leave()
  }
  from.on('data', (piece: Buffer) => { put(() => { if (!into.destroyed) into.write(piece) }) })
  from.once('end', () => { put(() => { into.end() }) })
  from.once('close', hadError => { if (hadError) into.destroy() })
  from.on('error', () => { into.destroy() })
}
