import { createHash } from 'node:crypto'
import type { BinaryNode } from '@whiskeysockets/baileys'
import type { Stanza } from './stanza.js'

/** Far more than Baileys has in hand at once; a stanza that never reaches `decryptMessage` is forgotten, not kept. */
const MAX_PENDING = 5_000

/**
 * Finds the stanza of a ciphertext. `decryptMessage` is given nothing else, and the journal row needs the envelope.
 */
export class PendingStanzas {
  readonly #byCiphertext = new Map<string, Stanza>()

  note(node: BinaryNode, stanza: Stanza): void {
    for (const ciphertext of ciphertexts(node)) this.#byCiphertext.set(digest(ciphertext), stanza)
    for (const oldest of this.#byCiphertext.keys()) {
      if (this.#byCiphertext.size <= MAX_PENDING) break
      this.#byCiphertext.delete(oldest)
    }
  }

  find(ciphertext: Uint8Array): Stanza | undefined {
    return this.#byCiphertext.get(digest(ciphertext))
  }

  forget(node: BinaryNode): void {
    for (const ciphertext of ciphertexts(node)) this.#byCiphertext.delete(digest(ciphertext))
  }
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')

function ciphertexts(node: BinaryNode): Uint8Array[] {
  if (!Array.isArray(node.content)) return []
  return node.content.flatMap(({ tag, content }) => tag === 'enc' && content instanceof Uint8Array ? [content] : [])
}
