/**
 * Repairs libsignal 6.0.0: an attempt to decrypt with the wrong one of a contact's sessions must leave that session alone.
 *
 * After both sides opened a session at once (a first answer crossing a first message; Baileys also opens a fresh one with
 * its device queries), a contact has several sessions and libsignal tries one after another. It steps the ratchet before
 * it checks the MAC, and a later session's success stores the whole record, the damaged session included: the next
 * message on that one cannot be decrypted. The libsignal of WhatsApp's own phones tries on a copy; so do we.
 *
 * Measured without it: 17 of 312 answers crossing bursts of a new contact were not decrypted at the first try.
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
if (typeof decrypt !== 'function') throw new Error('libsignal has changed: look whether a failed decryption still damages a session')

cipher.doDecryptWhisperMessage = async function (message, session) {
  if (session === undefined) return decrypt.call(this, message, session)
  const attempt = (session.constructor as unknown as SessionEntryClass).deserialize(session.serialize())
  const plaintext = await decrypt.call(this, message, attempt)
  // `pendingPreKey` may have gone: only what the copy has may remain.
  for (const name of Object.keys(session)) Reflect.deleteProperty(session, name)
  Object.assign(session, attempt)
  return plaintext
}
