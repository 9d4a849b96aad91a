/**
 * A preload that makes the Baileys of another process trust a simulator, and find WhatsApp's media servers there:
 *
 *     WA_SIMULATOR_ROOT=<hex> WA_SIMULATOR_MEDIA=http://127.0.0.1:<port> node --import <...>/simulator/dist/trust.js <...>/main.js
 *
 * It is for tests and the demo and belongs in no image: whoever controls the root can pretend to be WhatsApp.
 */
import { redirectMedia } from './media/redirect.js'
import { trustRoot } from './server/certificates.js'

const root = process.env.WA_SIMULATOR_ROOT ?? ''
if (!/^[0-9a-f]{64}$/i.test(root)) {
  throw new Error(root === ''
    ? 'WA_SIMULATOR_ROOT is not set: give it the "trustRoot" that the simulator printed when it started'
    : 'WA_SIMULATOR_ROOT is not a root key: it must be 32 bytes in hex, the "trustRoot" that the simulator printed')
}
trustRoot(Buffer.from(root, 'hex'))

const media = process.env.WA_SIMULATOR_MEDIA ?? ''
if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(media)) {
  throw new Error('WA_SIMULATOR_MEDIA is not set to the simulator\'s media servers: give it the "mediaUrl" that the simulator printed')
}
redirectMedia(media)
