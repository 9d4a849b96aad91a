/**
 * A preload that makes the Baileys of another process trust a simulator:
 *
 *     WA_SIMULATOR_ROOT=<hex> node --import <...>/simulator/dist/trust.js <...>/main.js
 *
 * It is for tests and the demo and belongs in no image: whoever controls the root can pretend to be WhatsApp.
 */
import { trustRoot } from './server/certificates.js'

const root = process.env.WA_SIMULATOR_ROOT ?? ''
if (!/^[0-9a-f]{64}$/i.test(root)) {
  throw new Error(root === ''
    ? 'WA_SIMULATOR_ROOT is not set: give it the "trustRoot" that the simulator printed when it started'
    : 'WA_SIMULATOR_ROOT is not a root key: it must be 32 bytes in hex, the "trustRoot" that the simulator printed')
}
trustRoot(Buffer.from(root, 'hex'))
