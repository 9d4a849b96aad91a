import https from 'node:https'
import { type Socket, connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** Where this process finds WhatsApp's media servers; undefined: on the Internet. */
let simulated: URL | undefined
let installed = false

const isWhatsApp = (host: string): boolean => host === 'whatsapp.net' || host.endsWith('.whatsapp.net')

/**
 * Sends this process' requests for `https://*.whatsapp.net` to a simulator, in plain HTTP; all others go where they went.
 * So a program keeps WhatsApp's true host names, and its rules about which hosts it speaks to.
 *
 * Baileys downloads with the global `fetch` and uploads through the global HTTPS agent, so these two are replaced.
 *
 * @param mediaUrl `http://127.0.0.1:<port>`
 */
export function redirectMedia(mediaUrl: string): void {
  simulated = new URL(mediaUrl)
  if (installed) return
  installed = true
  https.globalAgent = new SimulatedHosts({ keepAlive: false })
  const { fetch } = globalThis
  globalThis.fetch = (input, init) => fetch(redirected(input), init)
}

function redirected(input: Parameters<typeof fetch>[0]): Parameters<typeof fetch>[0] {
  if (!simulated || input instanceof Request) return input
  const url = new URL(input)
  return isWhatsApp(url.hostname) ? new URL(url.pathname + url.search, simulated) : input
}

class SimulatedHosts extends https.Agent {
  override createConnection(
    options: https.RequestOptions, callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    if (!simulated || !isWhatsApp(options.host ?? '')) return super.createConnection(options, callback)
    const socket: Socket = connect(Number(simulated.port), simulated.hostname)
    return socket
  }
}
