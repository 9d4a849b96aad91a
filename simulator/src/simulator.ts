import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { type Faults, NO_FAULTS } from './faults.js'
import type { Indexed, Journal } from './journal.js'
import { Business } from './people/business.js'
import { type Counts, noCounts } from './people/counts.js'
import { serveMedia } from './media/media-server.js'
import { redirectMedia } from './media/redirect.js'
import { Customer } from './people/customer.js'
import type { CustomerSettings } from './people/customer-settings.js'
import { trustRoot } from './server/certificates.js'
import { Connection } from './server/connection.js'
import { type LoggedStanza, World, type WorldOptions } from './server/world.js'

export interface SimulatorOptions extends WorldOptions {
  /** TCP port on 127.0.0.1. Default: a free one. */
  readonly port?: number
}

export interface NewPerson {
  /** Digits only, with the country code. */
  readonly phone: string
  readonly name?: string
  /** Digits only. Default: made from the phone number. */
  readonly lid?: string
}

export interface SimulatorCounts extends Counts {
  /** Queries that the simulator has no answer for. */
  readonly unhandledQueries: number
  /** Errors inside the simulator. */
  readonly problems: number
}

/**
 * A WhatsApp server on 127.0.0.1, the owner's phone of every business, and the customers' phones.
 *
 * ```ts
 * const simulator = await Simulator.start()
 * simulator.trustHere()
 * const business = simulator.addBusiness({ phone: '972500000001', name: 'Studio' })
 * const customer = simulator.addCustomer({ phone: '972521111111', name: 'Dana' })
 * business.scan(qr) // `qr` from the `connection.update` of a Baileys socket with `waWebSocketUrl: simulator.waUrl`
 * await customer.say(business, 'hi')
 * const [answer] = await customer.inbox.waitAfter(0, 10_000)
 * await simulator.stop()
 * ```
 */
export class Simulator {
  /** For Baileys' `waWebSocketUrl`. */
  readonly waUrl: string
  /** Where WhatsApp's media servers are, for {@link redirectMedia}. */
  readonly mediaUrl: string
  readonly #world: World
  readonly #http: Server
  readonly #sockets: WebSocketServer
  readonly #connections: Set<Connection>

  private constructor(world: World, http: Server, sockets: WebSocketServer, connections: Set<Connection>) {
    this.#world = world
    this.#http = http
    this.#sockets = sockets
    this.#connections = connections
    const { port } = http.address() as AddressInfo
    this.waUrl = `ws://127.0.0.1:${port}/ws/chat`
    this.mediaUrl = `http://127.0.0.1:${port}`
  }

  static async start({ port = 0, ...options }: SimulatorOptions = {}): Promise<Simulator> {
    const world = new World(options)
    const connections = new Set<Connection>()
    const sockets = new WebSocketServer({ noServer: true })
    const http = createServer((request, response) => {
      serveMedia(request, response, { store: world.media, faults: world.faults }).catch((problem: unknown) => {
        // A client that hangs up in the middle of an upload is no problem of ours.
        if (!request.destroyed) world.report(problem)
        response.destroy()
      })
    })
    http.on('upgrade', (request, socket, head) => {
      const { refuseUpgrade } = world.faults
      if (refuseUpgrade > 0) {
        socket.end(`HTTP/1.1 ${refuseUpgrade} Refused\r\nConnection: close\r\n\r\n`)
        return
      }
      sockets.handleUpgrade(request, socket, head, webSocket => {
        const connection = new Connection(world, webSocket)
        connections.add(connection)
        webSocket.on('close', () => { connections.delete(connection) })
      })
    })
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject)
      http.listen(port, '127.0.0.1', resolve)
    })
    return new Simulator(world, http, sockets, connections)
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.terminate()
    this.#sockets.close()
    this.#http.closeAllConnections()
    await new Promise<void>(resolve => { this.#http.close(() => { resolve() }) })
  }

  /**
   * The server goes away without a word and comes back after `downMs` milliseconds at the same address. What was not confirmed by
   * then is delivered again; who connects meanwhile is refused.
   */
  async restart(downMs = 0): Promise<void> {
    const { port } = this.#http.address() as AddressInfo
    for (const connection of this.#connections) connection.terminate()
    this.#http.closeAllConnections()
    await new Promise<void>(resolve => { this.#http.close(() => { resolve() }) })
    await new Promise(resolve => { setTimeout(resolve, downMs) })
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen(port, '127.0.0.1', resolve)
    })
  }

  /** The root of the server's certificates, 32 bytes in hex: `WA_SIMULATOR_ROOT` for `trust.js` in another process. */
  get trustRoot(): string {
    return Buffer.from(this.#world.certificates.rootPublicKey).toString('hex')
  }

  /** Makes the Baileys of this process trust this simulator (and no longer WhatsApp), and find its media servers. */
  trustHere(): void {
    trustRoot(this.#world.certificates.rootPublicKey)
    redirectMedia(this.mediaUrl)
  }

  /** @throws ConflictError when the phone number or LID is taken. */
  addBusiness({ phone, name = 'Business', lid = `9${phone}` }: NewPerson): Business {
    return this.#world.directory.add(new Business({ phone, name, lid }, this.#world.media, this.#world.desk))
  }

  /** @throws ConflictError when the phone number or LID is taken. */
  addCustomer(
    { phone, name = 'Customer', lid = `8${phone}` }: NewPerson, settings: Partial<CustomerSettings> = {},
  ): Customer {
    return this.#world.directory.add(new Customer({ phone, name, lid }, this.#world.media, settings))
  }

  /** @throws NotFoundError */
  business(phone: string): Business {
    return this.#world.directory.business(phone)
  }

  /** @throws NotFoundError */
  customer(phone: string): Customer {
    return this.#world.directory.customer(phone)
  }

  get faults(): Faults {
    return this.#world.faults
  }

  /** Switches some faults on or off and leaves the others as they are. */
  setFaults(faults: Partial<Faults>): Faults {
    return (this.#world.faults = { ...this.#world.faults, ...faults })
  }

  clearFaults(): Faults {
    return (this.#world.faults = NO_FAULTS)
  }

  /** All files on the media servers are too old from here on; a phone that has one can upload it again. */
  expireFiles(): void {
    this.#world.media.expire()
  }

  /** The last stanzas, both ways. */
  get log(): Journal<LoggedStanza> {
    return this.#world.log
  }

  /** Those stanzas of the {@link log} that clients sent, of one tag. */
  received(tag: string): Indexed<LoggedStanza>[] {
    return this.log.after().filter(({ dir, stanza }) => dir === 'in' && stanza.tag === tag)
  }

  get unhandled(): Journal<LoggedStanza> {
    return this.#world.unhandled
  }

  get problems(): Journal<{ readonly at: number; readonly message: string }> {
    return this.#world.problems
  }

  counts(): SimulatorCounts {
    const sum = noCounts()
    for (const { counts } of this.#world.directory.businesses()) {
      sum.delivered += counts.delivered
      sum.redelivered += counts.redelivered
      sum.acknowledged += counts.acknowledged
      sum.refused += counts.refused
      sum.sent += counts.sent
    }
    return { ...sum, unhandledQueries: this.#world.unhandled.total, problems: this.#world.problems.total }
  }
}
