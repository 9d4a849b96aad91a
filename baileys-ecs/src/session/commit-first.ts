import { AsyncResource } from 'node:async_hooks'
import type { SignalAuthState, SignalKeyStoreWithTransaction, SignalRepositoryWithLIDStore } from '@whiskeysockets/baileys'
import { SerialQueue } from '../concurrency/serial-queue.js'
import type { JournalRow } from '../journal/row.js'
import { JOURNAL, type DataSet } from '../store/auth-state.js'

/** Where decrypted messages are noted down. */
export interface Noting {
  /** The journal rows of a decrypted message; called inside the transaction that advances the ratchet. */
  readonly rowsOf: (ciphertext: Uint8Array, plaintext: Uint8Array) => readonly JournalRow[]
  /** Called when a message cannot be read, before Baileys learns of it and asks for it again. */
  readonly unreadable: (ciphertext: Uint8Array, error: unknown) => Promise<void>
}

/**
 * Commits every step of a Signal session before its result leaves, and the inbox row together with the ratchet.
 *
 * Baileys rc14 sends a stanza inside the transaction that advanced the ratchet, and holds different mutexes for sending
 * and receiving: with 5-20 ms of store latency 4-9 % of answers crossing a customer's burst could not be decrypted, and
 * a fenced owner's message reached the phone (Baileys #2811, whatsmeow #1168). So each operation runs under ONE lock for
 * the number (locks by jid are not enough: a person has two) and in an async context made here, outside Baileys' open
 * transaction, where its own transaction is a real one that has committed when the operation returns.
 *
 * @param auth as Baileys hands it to `makeSignalRepository`: its key store has transactions
 */
export function commitFirst(repository: SignalRepositoryWithLIDStore, auth: SignalAuthState, { rowsOf, unreadable }: Noting): SignalRepositoryWithLIDStore {
  const keys = auth.keys as SignalKeyStoreWithTransaction
  const outside = new AsyncResource('signal-commit')
  const lock = new SerialQueue()
  const committed = <A extends unknown[], R>(operation: (...args: A) => Promise<R>) => (...args: A): Promise<R> =>
    lock.run(() => outside.runInAsyncScope(() => operation(...args)))

  const journalled = <A, R extends Uint8Array>(
    decrypt: (args: A) => Promise<R>, ciphertextOf: (args: A) => Uint8Array, mutexOf: (args: A) => string,
  ) => {
    const read = committed((args: A) => keys.transaction(async () => {
      const plaintext = await decrypt(args) // its own transaction joins this one
      const rows = rowsOf(ciphertextOf(args), plaintext)
      if (rows.length > 0) await keys.set({ [JOURNAL]: Object.fromEntries(rows.map(row => [row.sk, row])) } as DataSet)
      return plaintext
    }, mutexOf(args)))
    return async (args: A): Promise<R> => {
      try {
        return await read(args)
      } catch (error) {
        await unreadable(ciphertextOf(args), error)
        throw error
      }
    }
  }

  return {
    ...repository,
    decryptMessage: journalled(args => repository.decryptMessage(args), args => args.ciphertext, args => args.jid),
    decryptGroupMessage: journalled(args => repository.decryptGroupMessage(args), args => args.msg, args => args.group),
    encryptMessage: committed(args => repository.encryptMessage(args)),
    encryptGroupMessage: committed(args => repository.encryptGroupMessage(args)),
    processSenderKeyDistributionMessage: committed(args => repository.processSenderKeyDistributionMessage(args)),
    injectE2ESession: committed(args => repository.injectE2ESession(args)),
    migrateSession: committed((from, to) => repository.migrateSession(from, to)),
    deleteSession: committed(jids => repository.deleteSession(jids)),
  }
}
