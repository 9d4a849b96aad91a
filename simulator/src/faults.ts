import { type Stanza, kindOf } from './stanza.js'

/** What can go wrong on WhatsApp's side; everything is off at first. */
export interface Faults {
  /** Milliseconds between a stanza's arrival and its handling. Stanzas stay in order and do not add up their delays. */
  readonly latencyMs: number
  /** The server reads and never says anything again, while TCP stays up: a frozen peer. */
  readonly hang: boolean
  /** Kinds of stanza (see `kindOf`, or a prefix up to a `/`) that are read and left unanswered: `["iq/w:p", "message"]`. */
  readonly ignore: readonly string[]
  /** Outgoing messages reach the customer, but the server never acknowledges them. */
  readonly dropAcks: boolean
  /** Outgoing messages are refused with this code in their ack (463: reach-out time lock, 479, ...). */
  readonly ackError: string | null
  /** Every login is refused with this reason (401: unlinked, 403: banned, 405: client too old, 503: busy). */
  readonly failure: string | null
  /** How many QR codes a new device gets, one after the other, before it must ask afresh. */
  readonly qrCodes: number
  /** A device that wants to pair by a code is refused with this error (429: too many). */
  readonly pairingCode: string | null
  /** The WebSocket upgrade is answered with this HTTP status; 0 is off. */
  readonly refuseUpgrade: number
  /** The Noise handshake's first message is never answered. */
  readonly stallHandshake: boolean
  /**
   * What is wrong with every file on the media servers: `missing` (404), `gone` (410: too old), `slow` (160 bytes a second), `stalled` (headers
   * only), `endless` (zeros after the file, for ever), `wrong` (the right length, other bytes).
   */
  readonly mediaDownload: 'missing' | 'gone' | 'slow' | 'stalled' | 'endless' | 'wrong' | null
  /** Uploads are refused with 403, or never answered. */
  readonly mediaUpload: 'refused' | 'stalled' | null
}

export const MEDIA_DOWNLOAD_FAULTS = ['missing', 'gone', 'slow', 'stalled', 'endless', 'wrong', null] as const satisfies Faults['mediaDownload'][]
export const MEDIA_UPLOAD_FAULTS = ['refused', 'stalled', null] as const satisfies Faults['mediaUpload'][]

export const NO_FAULTS: Faults = {
  latencyMs: 0, hang: false, ignore: [], dropAcks: false, ackError: null, failure: null, qrCodes: 6, pairingCode: null, refuseUpgrade: 0,
  stallHandshake: false,  mediaDownload: null, mediaUpload: null,
}

/** Whether `faults.ignore` names this stanza's kind. */
export const isIgnored = (faults: Faults, stanza: Stanza): boolean => {
  const kind = `${kindOf(stanza)}/`
  return faults.ignore.some(ignored => kind.startsWith(`${ignored}/`))
}
