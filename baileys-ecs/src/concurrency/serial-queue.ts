/**
 * Runs tasks one after another, in the order of the calls.
 *
 * Each task keeps its caller's async context, which p-queue does not promise: Baileys finds its open transaction there.
 */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve()
  #size = 0

  /** Tasks that wait or run. */
  get size(): number {
    return this.#size
  }

  run<T>(task: () => Promise<T>): Promise<T> {
    this.#size += 1
    const result = this.#tail.then(task).finally(() => { this.#size -= 1 })
    this.#tail = result.catch(() => undefined)
    return result
  }

  /** Resolves when everything that was queued so far has ended, well or badly. */
  async idle(): Promise<void> {
    await this.#tail
  }
}

/** Serial queues by key; a key costs nothing once its queue is empty. */
export class KeyedQueues {
  readonly #queues = new Map<string, SerialQueue>()

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? new SerialQueue()
    this.#queues.set(key, queue)
    try {
      return await queue.run(task)
    } finally {
      if (queue.size === 0 && this.#queues.get(key) === queue) this.#queues.delete(key)
    }
  }
}
