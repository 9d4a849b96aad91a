/**
 * Repairs libsignal 6.0.0 for the phones: decrypting with the wrong one of a contact's sessions must leave it alone.
 *
 * A phone that has several sessions with a business (both opened one at once) tries them one after another. libsignal
 * steps the ratchet before it checks the MAC, and the success of a later session stores the damaged one with it; real
 * phones try on a copy. Without this, a failure to decrypt could be the simulator's own.
 *
 * Imported for its effect, once, before any session is used.
 */
import libsignal from 'libsignal'

interface SessionEntry {
  serialize: () => object
}
interface SessionEntryClass {
  deserialize: (data: object) => SessionEntry
}
type Decrypt = (this: unknown, message: Uint8Array, session: SessionEntry | undefined) => Promise<Uint8Array>

const cipher = libsignal.SessionCipher.prototype as unknown as { doDecryptWhisperMessage: Decrypt }
const decrypt = cipher.doDecryptWhisperMessage

cipher.doDecryptWhisperMessage = async function (message, session) {
  if (session === undefined) return decrypt.call(this, message, session)
  const attempt = (session.constructor as unknown as SessionEntryClass).deserialize(session.serialize())
  const plaintext = await decrypt.call(this, message, attempt)
  for (const name of Object.keys(session)) Reflect.deleteProperty(session, name)
  Object.assign(session, attempt)
  return plaintext
}
