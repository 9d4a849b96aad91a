/** Runs asynchronous work strictly one after the other, in the order in which it was asked for. */
export class Lock {
  #tail: Promise<unknown> = Promise.resolve()

  /** @returns what `work` returns; its failure reaches this caller only and does not stop those behind it. */
  run<T>(work: () => Promise<T> | T): Promise<T> {
    const turn = this.#tail.then(work)
    this.#tail = turn.catch(() => undefined)
    return turn
  }
}
