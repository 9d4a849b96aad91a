import type { Stanza } from '../stanza.js'

/**
 * The ways in which a session ends, and what Baileys makes of each (`lastDisconnect.error.output.statusCode`):
 *
 * - `restart` (515): reconnect at once, as after pairing
 * - `busy` (503): the service is unavailable
 * - `replaced` (440): another socket logged in with the same credentials
 * - `removed` (401): unlinked from the phone
 * - `ack` (500): a stream error about an ack
 * - `xml` (500): malformed XML
 * - `streamend` (428): the server says good-bye
 * - `close` (428): the WebSocket closes
 * - `tcp` (428): the connection breaks
 */
export const ENDINGS = ['restart', 'busy', 'replaced', 'removed', 'ack', 'xml', 'streamend', 'close', 'tcp'] as const
export type Ending = (typeof ENDINGS)[number]

/** The server's last words; undefined when there are none. */
export function lastWords(how: Ending): Stanza | undefined {
  switch (how) {
    case 'restart': return streamError({ code: '515' })
    case 'busy': return streamError({ code: '503' })
    case 'replaced': return streamError({}, { tag: 'conflict', attrs: { type: 'replaced' } })
    case 'removed': return streamError({ code: '401' }, { tag: 'conflict', attrs: { type: 'device_removed' } })
    case 'ack': return streamError({}, { tag: 'ack', attrs: { id: '1' } })
    case 'xml': return streamError({}, { tag: 'xml-not-well-formed', attrs: {} })
    case 'streamend': return { tag: 'xmlstreamend', attrs: {} }
    case 'close':
    case 'tcp': return undefined
  }
}

const streamError = (attrs: Stanza['attrs'], reason?: Stanza): Stanza => ({
  tag: 'stream:error', attrs, content: reason ? [reason] : [],
})
