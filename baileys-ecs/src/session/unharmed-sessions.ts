/**
 * Repairs two things of libsignal 6.0.0.
 *
 * **An attempt to decrypt with the wrong one of a contact's sessions must leave that session alone.**
 * After both sides opened a session at once (a first answer crossing a first message; Baileys also opens a fresh one with
 * its device queries), a contact has several sessions and libsignal tries one after another. It steps the ratchet before
 * it checks the MAC, and a later session's success stores the whole record, the damaged session included: the next
 * message on that one cannot be decrypted. The libsignal of WhatsApp's own phones tries on a copy; so do we.
 *
 * Measured without it: 17 of 312 answers crossing bursts of a new contact were not decrypted at the first try.
 *
 * **A message that was read before must be told from one that cannot be read.** One session says that its key was used; but
 * when all have been tried libsignal throws "No matching sessions found", whatever they said. After a crash between the
 * ratchet's commit and the receipt WhatsApp brings the message again; taken for unreadable, Baileys would ask the customer's
 * phone for it once more, and the business would be told of a message that nobody can read. Only the session with the
 * chain of that very message says that its key was used: others fail at the MAC.
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

type Decrypt = (this: object, message: Uint8Array, session: SessionEntry | undefined) => Promise<Uint8Array>
type TryAll = (this: object, message: Uint8Array, sessions: readonly SessionEntry[]) => Promise<unknown>

const cipher = libsignal.SessionCipher.prototype as unknown as { doDecryptWhisperMessage: Decrypt; decryptWithSessions: TryAll }
const { doDecryptWhisperMessage: decrypt, decryptWithSessions: tryAll } = cipher
if (typeof decrypt !== 'function' || typeof tryAll !== 'function') throw new Error('libsignal has changed: look whether a failed decryption still damages a session')

/** What a cipher, made for one message, was told by the session with that message's chain. */
const usedBefore = new WeakMap<object, Error>()

cipher.doDecryptWhisperMessage = async function (message, session) {
  if (session === undefined) return decrypt.call(this, message, session)
  const attempt = (session.constructor as unknown as SessionEntryClass).deserialize(session.serialize())
  const plaintext = await decrypt.call(this, message, attempt).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'MessageCounterError') usedBefore.set(this, error)
    throw error
  })
  // `pendingPreKey` may have gone: only what the copy has may remain.
  for (const name of Object.keys(session)) Reflect.deleteProperty(session, name)
  Object.assign(session, attempt)
  return plaintext
}

cipher.decryptWithSessions = async function (message, sessions) {
  try {
    return await tryAll.call(this, message, sessions)
  } catch (error) {
    throw usedBefore.get(this) ?? error
  }
}
