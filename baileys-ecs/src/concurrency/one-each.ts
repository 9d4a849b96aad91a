/** Runs at most one task of a key at a time; one that comes meanwhile is not begun. */
export class OneEach {
  readonly #running = new Map<string, Promise<void>>()
  readonly #failed: (key: string, error: unknown) => void

  constructor(failed: (key: string, error: unknown) => void) {
    this.#failed = failed
  }

  has(key: string): boolean {
    return this.#running.has(key)
  }

  /** @returns when the task has ended, well or badly; at once if it was not begun */
  async run(key: string, task: () => Promise<void>): Promise<void> {
    if (this.#running.has(key)) return
    const work = task()
      .catch((error: unknown) => { this.#failed(key, error) })
      .finally(() => this.#running.delete(key))
    this.#running.set(key, work)
    await work
  }

  /** Resolves when the task of this key has ended, if one runs. */
  async ended(key: string): Promise<void> {
    await this.#running.get(key)
  }
}
