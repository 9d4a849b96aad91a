import { type proto as Proto, decodeBinaryNode, encodeBinaryNode, proto } from '@whiskeysockets/baileys'
import { WebSocket } from 'ws'
import { isIgnored } from '../faults.js'
import { SERVER } from '../jids.js'
import { Business } from '../people/business.js'
import type { DeviceLink, LinkedDevice } from '../people/linked-device.js'
import { type Stanza, child, kindOf, leaf, timestamp } from '../stanza.js'
import { type Ending, lastWords } from './endings.js'
import { FrameReader, frame } from './frames.js'
import { NoiseHandshake, type NoiseTransport } from './noise.js'
import type { Candidate, CodeAnswer } from './pairing.js'
import { QUERIES } from './queries.js'
import { type Route, routeAck, routeChatState, routeMessage, routeReceipt } from './routing.js'
import type { World } from './world.js'

/** Between the server's last words and the closing of the socket, so that the client reads them first. */
const PARTING_MS = 20

/**
 * One client's WebSocket: the Noise handshake, then either pairing (a device that nobody knows) or the login of a linked
 * device, then stanzas.
 */
export class Connection implements DeviceLink, Candidate {
  readonly #world: World
  readonly #socket: WebSocket
  readonly #frames = new FrameReader()
  #handshake: NoiseHandshake | undefined
  #transport: NoiseTransport | undefined
  #device: LinkedDevice | undefined
  #ended = false
  /** A connection's frames are handled in order. */
  #turn: Promise<void> = Promise.resolve()
  registration: Proto.ClientPayload.IDevicePairingRegistrationData = {}

  constructor(world: World, socket: WebSocket) {
    this.#world = world
    this.#socket = socket
    socket.on('message', (data: Buffer) => { this.#receive(data) })
    socket.on('close', () => { this.#retire() })
    // A broken connection (a client that was killed) is one of the ways to end, not a problem to report.
    socket.on('error', () => { this.#retire() })
  }

  send(stanza: Stanza): void {
    if (this.#ended || this.#world.faults.hang || !this.#transport) return
    this.#world.record('out', this.#device?.phoneJid ?? null, stanza)
    this.#write(this.#transport.seal(encodeBinaryNode(stanza)))
  }

  /** Ends the session in one of the ways in which WhatsApp does. */
  end(how: Ending): void {
    if (how === 'removed') this.#device?.business.devices.delete(this.#device.number)
    const words = lastWords(how)
    if (words) this.send(words)
    this.#retire()
    if (how === 'tcp') this.#socket.terminate()
    else if (how === 'close') this.#socket.close()
    else this.#closeSoon()
  }

  terminate(): void {
    this.#retire()
    this.#socket.terminate()
  }

  /** From here on nothing is read or written: what the device did not confirm by now is given to it again. */
  #retire(): void {
    this.#ended = true
    this.#world.desk.withdraw(this)
    this.#device?.detach(this)
  }

  #closeSoon(): void {
    setTimeout(() => { this.#socket.close() }, PARTING_MS).unref()
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame(bytes))
  }

  #receive(data: Buffer): void {
    const arrived = Date.now()
    this.#turn = this.#turn.then(async () => {
      for (const body of this.#frames.push(data)) {
        // Counted from the arrival: a network's latency delays every stanza, but they travel together.
        await until(arrived + this.#world.faults.latencyMs)
        if (!this.#ended) await this.#onFrame(body)
      }
    }).catch((problem: unknown) => { this.#world.report(problem) })
  }

  async #onFrame(body: Buffer): Promise<void> {
    if (!this.#transport) {
      this.#onHandshake(proto.HandshakeMessage.decode(body))
      return
    }
    const stanza = await decodeBinaryNode(this.#transport.open(body))
    this.#world.record('in', this.#device?.phoneJid ?? null, stanza)
    const { faults } = this.#world
    if (!faults.hang && !isIgnored(faults, stanza)) await this.#onStanza(stanza)
  }

  #onHandshake({ clientHello, clientFinish }: Proto.HandshakeMessage): void {
    const { certificates, faults } = this.#world
    if (clientHello?.ephemeral && this.#frames.header) {
      if (faults.stallHandshake) return
      this.#handshake = new NoiseHandshake(certificates, this.#frames.header, clientHello.ephemeral)
      this.#write(this.#handshake.serverHello())
    } else if (clientFinish?.static && clientFinish.payload && this.#handshake) {
      const { clientStatic, payload, transport } = this.#handshake.clientFinish(clientFinish.static, clientFinish.payload)
      this.#transport = transport
      if (payload.devicePairingData) this.#pair(payload.devicePairingData)
      else this.#logIn(clientStatic, payload)
    } else {
      throw new Error('a handshake message out of order')
    }
  }

  #pair(registration: Proto.ClientPayload.IDevicePairingRegistrationData): void {
    this.registration = registration
    this.send(this.#world.desk.offer(this, this.#world.faults))
  }

  #logIn(clientStatic: Buffer, { username, device: number }: Proto.ClientPayload): void {
    const business = this.#world.directory.businesses().find(({ phone }) => phone === String(username))
    const device = business?.devices.get(number ?? 0)
    const known = device?.noiseKey.equals(clientStatic) === true // else unlinked, or with stale keys
    const refusal = this.#world.faults.failure ?? (known ? null : '401')
    if (!device || refusal !== null) {
      this.#refuse(refusal ?? '401')
      return
    }
    device.attach(this)
    this.#device = device
    // The client sends this back in front of its next connection, so that it lands near its data.
    this.send({
      tag: 'ib', attrs: { from: SERVER },
      content: [{ tag: 'edge_routing', attrs: {}, content: [leaf('routing_info', Buffer.from('sim-edge'))] }],
    })
    this.send({
      tag: 'success',
      attrs: { t: timestamp(), lid: device.lidJid, location: 'sim', display_name: device.business.name },
    })
  }

  #refuse(reason: string): void {
    this.send({ tag: 'failure', attrs: { reason, location: 'sim' } })
    this.#closeSoon()
  }

  async #onStanza(stanza: Stanza): Promise<void> {
    if (stanza.tag === 'iq' && stanza.attrs.type === 'result') {
      this.#onResult(stanza)
      return
    }
    const device = this.#device
    if (!device) {
      if (stanza.tag === 'iq') this.#onCandidateQuery(stanza)
      return
    }
    const { directory, faults } = this.#world
    const route: Route = { device, directory, faults, reply: answer => { this.send(answer) } }
    switch (stanza.tag) {
      case 'iq': await this.#onQuery(stanza, device); return
      case 'message': await routeMessage(stanza, route); return
      case 'receipt': await routeReceipt(stanza, route); return
      case 'ack': routeAck(stanza, route); return
      case 'chatstate': routeChatState(stanza, route); return
      case 'call':
        this.send({ tag: 'ack', attrs: { class: 'call', id: stanza.attrs.id ?? '', from: stanza.attrs.to ?? '' } })
        return
      default: // presence and the like: nothing to answer
    }
  }

  /** The only question of ours whose answer matters is `pair-success`. */
  #onResult(answer: Stanza): void {
    if (!child(answer, 'pair-device-sign')) return
    if (this.#world.desk.confirm(this, answer)) this.end('restart')
    else this.#refuse('401')
  }

  /** A device that is not linked yet asks for nothing but a code to be linked by. */
  #onCandidateQuery(stanza: Stanza): void {
    const { desk, directory, faults } = this.#world
    this.#answer(stanza, desk.answerCode(this, stanza, faults, jid => directory.find(jid) instanceof Business))
  }

  async #onQuery(stanza: Stanza, device: LinkedDevice): Promise<void> {
    const ask = QUERIES[kindOf(stanza)]
    if (!ask) {
      this.#world.unhandled.append({
        at: Date.now(), dir: 'in', device: device.phoneJid, stanza: { tag: kindOf(stanza), attrs: stanza.attrs },
      })
    }
    const answer = await ask?.({ stanza, device, directory: this.#world.directory, faults: this.#world.faults }) ?? {}
    this.#answer(stanza, answer)
    if ('error' in answer) return
    if (answer.then === 'activate') this.#activate(device)
    if (answer.then === 'unlink') this.end('removed')
  }

  #answer(query: Stanza, answer: CodeAnswer): void {
    const attrs = { from: SERVER, id: query.attrs.id ?? '' }
    if ('error' in answer) this.send({ tag: 'iq', attrs: { ...attrs, type: 'error' }, content: [{ tag: 'error', attrs: answer.error }] })
    else this.send({ tag: 'iq', attrs: { ...attrs, type: 'result' }, ...(answer.content && { content: answer.content }) })
  }

  #activate(device: LinkedDevice): void {
    device.activate()
    if (device.logins === 1) {
      const { business } = device
      if (business.addressBook.version > 0) business.shareStateKey().catch((problem: unknown) => { this.#world.report(problem) })
      business.sendHistorySync().catch((problem: unknown) => { this.#world.report(problem) })
    }
  }
}

async function until(time: number): Promise<void> {
  const wait = time - Date.now()
  if (wait > 0) await new Promise(resolve => { setTimeout(resolve, wait) })
}
