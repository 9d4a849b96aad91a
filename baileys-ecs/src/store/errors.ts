/** Another claim of the session is in force: this process must not write, nor send, nor receive for it any more. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
  constructor(readonly tenantId: string, readonly token: number) {
    super(`the session of ${tenantId} was claimed by another process; token ${token} is no longer in force`)
  }
}

/** This process may no longer hold the session, although nobody refused it a write yet. What was on its way may have arrived. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  constructor(readonly tenantId: string) {
    super(`the lease of the session of ${tenantId} has ended`)
  }
}

/** The database did not take a write, or answer a read, in the time given; nothing of that call is stored. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** The socket that this store was opened for has ended; its late reads and writes are refused. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError'
  constructor() {
    super('the socket of this auth state has ended')
  }
}

/** A value does not fit into a DynamoDB item (400 KB). The one type that is known to come near is divided: `parts.ts`. */
export class ItemTooLargeError extends Error {
  override readonly name = 'ItemTooLargeError'
  constructor(what: string, bytes: number) {
    super(`${what} has ${bytes} bytes; a DynamoDB item ends at 400 KB`)
  }
}

/** More items must change together than one DynamoDB transaction holds (100). */
export class TransactionTooLargeError extends Error {
  override readonly name = 'TransactionTooLargeError'
  constructor(items: number) {
    super(`${items} items must change together; a DynamoDB transaction holds 100, its fence included`)
  }
}
