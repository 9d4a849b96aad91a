import { sleep } from '../concurrency/sleep.js'
import type { StoredSession } from '../store/session-records.js'
import { stepFor } from './reconcile.js'
import { Session, type SessionDependencies } from './session.js'

/** Time for sends under way when an operator stops or restarts a session. */
const PAUSE_DRAIN_MS = 10_000

/** The sessions of this process, kept in line with what their rows desire. */
export class SessionRegistry {
  readonly #deps: SessionDependencies
  readonly #ownerUrl: string
  readonly #sessions = new Map<string, Session>()
  /** Tenants whose last step is not finished; a look in between would take it for not done. */
  readonly #busy = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  #polling: Promise<void> = Promise.resolve()

  constructor(deps: SessionDependencies, ownerUrl: string) {
    this.#deps = deps
    this.#ownerUrl = ownerUrl
  }

  get isDraining(): boolean {
    return this.#stop.signal.aborted
  }

  get(tenantId: string): Session | undefined {
    return this.#sessions.get(tenantId)
  }

  /** The row of a tenant that this process does not hold, to tell "unknown" from "elsewhere". */
  async record(tenantId: string): Promise<StoredSession | undefined> {
    return this.#deps.records.get(tenantId)
  }

  all(): Session[] {
    return [...this.#sessions.values()].filter(session => !session.isFenced)
  }

  start(): void {
    this.#polling = this.#poll()
  }

  /** Drains sends, ends all sockets, and lets go of the journal; `ms` bounds the draining. */
  async stop(ms: number): Promise<void> {
    this.#stop.abort()
    await this.#polling
    await Promise.all(this.#busy.values())
    await Promise.all(this.all().map(async session => {
      if (session.isRunning) await session.pause('The gateway was stopped; it comes back with its next start.', ms)
      await session.close()
    }))
  }

  async #poll(): Promise<void> {
    const { records, logger, settings } = this.#deps
    while (!this.#stop.signal.aborted) {
      try {
        for (const record of await records.list()) this.#reconcile(record)
      } catch (error) {
        logger.error({ err: error }, 'the session rows cannot be read; trying again')
      }
      await sleep(settings.sessionPollMs, this.#stop.signal)
    }
  }

  #reconcile(record: StoredSession): void {
    const { tenantId } = record
    if (this.#busy.has(tenantId) || this.#stop.signal.aborted) return
    const work = this.#step(record)
      .catch((error: unknown) => { this.#deps.logger.error({ tenant: tenantId, err: error }, 'a session\'s desired state could not be reached; trying again') })
      .finally(() => this.#busy.delete(tenantId))
    this.#busy.set(tenantId, work)
  }

  async #step(record: StoredSession): Promise<void> {
    const { desiredGeneration = 0 } = record
    const session = this.#sessions.get(record.tenantId)
    const state = session?.status()
    const held = session && {
      token: session.token, running: session.isRunning, generation: session.generation, fenced: session.isFenced,
      resting: state?.state === 'logged_out' || state?.code === 403 || state?.code === 411,
    }
    switch (stepFor(record, held)) {
      case 'claim':
        await this.#claim(record)
        break
      case 'run':
        session?.run(desiredGeneration)
        break
      case 'restart':
        await session?.pause('A restart was asked for.', PAUSE_DRAIN_MS)
        session?.run(desiredGeneration)
        break
      case 'pause':
        await session?.pause('The session was stopped on request.', PAUSE_DRAIN_MS)
        break
      case 'unlink':
        await session?.unlink()
        break
      case 'fence':
        session?.fence()
        break
      case 'none':
        await session?.ensureReported()
    }
  }

  async #claim(seen: StoredSession): Promise<void> {
    const { records, logger, now } = this.#deps
    // The list may come from an index and be a moment old: a claim begins with the row itself.
    const current = await records.get(seen.tenantId)
    if (current?.desired !== 'linked') return
    const claimed = await records.claim(current, this.#ownerUrl, now())
    if (claimed === undefined) return
    await this.#sessions.get(seen.tenantId)?.close()
    const session = new Session(this.#deps, claimed)
    await session.open()
    this.#sessions.set(seen.tenantId, session)
    logger.info({ tenant: seen.tenantId, token: session.token }, 'session claimed')
    const { generation = 0, desiredGeneration = 0, state } = claimed
    if (state !== 'logged_out' || desiredGeneration > generation) session.run(desiredGeneration)
  }
}
