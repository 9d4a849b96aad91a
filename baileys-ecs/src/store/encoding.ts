import { BufferJSON, proto, type AuthenticationCreds, type SignalDataTypeMap } from '@whiskeysockets/baileys'
import { ItemTooLargeError } from './errors.js'

/** Room is left for keys and attribute names; a session row was seen to reach 81 KB after 1,500 skipped messages. */
const MAX_VALUE_BYTES = 390_000

/** @throws {ItemTooLargeError} */
export function encodeValue(what: string, value: unknown): string {
  const json = encodeAny(value)
  const bytes = Buffer.byteLength(json)
  if (bytes > MAX_VALUE_BYTES) throw new ItemTooLargeError(what, bytes)
  return json
}

/** The same for a value that need not fit into one item. */
export const encodeAny = (value: unknown): string => JSON.stringify(value, BufferJSON.replacer)

export function decodeCreds(json: string): AuthenticationCreds {
  return JSON.parse(json, BufferJSON.reviver) as AuthenticationCreds
}

/** Types that this version does not know come back as they were stored. */
export function decodeValue<T extends keyof SignalDataTypeMap>(type: T, json: string): SignalDataTypeMap[T] {
  const value = JSON.parse(json, BufferJSON.reviver) as SignalDataTypeMap[T]
  if (type !== 'app-state-sync-key') return value
  return proto.Message.AppStateSyncKeyData.fromObject(value as object) as unknown as SignalDataTypeMap[T]
}
