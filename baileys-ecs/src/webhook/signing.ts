import { createHmac } from 'node:crypto'

export const TIMESTAMP_HEADER = 'x-kesher-timestamp'
export const SIGNATURE_HEADER = 'x-kesher-signature'

/**
 * Signature of an event: `v1=` and the hex HMAC-SHA256 of `<timestamp>.<body>`.
 *
 * @param timestamp Unix seconds
 * @param body the request's body, byte for byte
 */
export function sign(secret: string, timestamp: number, body: string | Uint8Array): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`
}
