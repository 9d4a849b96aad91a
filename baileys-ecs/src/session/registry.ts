import { sleep } from '../concurrency/sleep.js'
import { Heartbeat } from '../lease/heartbeat.js'
import { Observer } from '../lease/observer.js'
import type { ContainerRecords } from '../store/containers.js'
import type { Claimant, StoredSession } from '../store/session-records.js'
import { census, type Census } from './census.js'
import type { SessionDependencies } from './dependencies.js'
import { Placement } from './placement.js'
import { stepFor } from './reconcile.js'
import { Session } from './session.js'

export interface RegistryDependencies extends SessionDependencies {
  readonly containers: ContainerRecords
  readonly self: Claimant
  /** No other process can listen at our address, so whoever had it before us has ended. */
  readonly addressIsOurs: boolean
}

/** What became of a request for a restart. */
export type Restart = 'restarting' | 'busy' | 'stopped'

/** The sessions of this process: its share of all, kept in line with what their rows desire. */
export class SessionRegistry {
  readonly #deps: RegistryDependencies
  readonly #sessions = new Map<string, Session>()
  /** Tenants whose last step is not finished; a look in between would take it for not done. */
  readonly #busy = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  readonly #observer: Observer
  readonly #heartbeat: Heartbeat
  readonly #placement: Placement
  /** As last read. */
  #rows: readonly StoredSession[] = []
  #claiming: Promise<void> = Promise.resolve()
  #isClaiming = false
  #polling: Promise<void> = Promise.resolve()

  constructor(deps: RegistryDependencies) {
    const { settings, containers, self, monotonic, logger, random } = deps
    const { heartbeatMs: beatMs, leaseMs, capacity, rebalanceMs } = settings
    this.#deps = deps
    this.#observer = new Observer(leaseMs)
    this.#placement = new Placement({ self: self.id, capacity, rebalanceMs, leaseMs, random })
    this.#heartbeat = new Heartbeat({
      beat: signal => containers.beat({ ...self, capacity, draining: this.isDraining }, signal),
      beatMs, leaseMs, monotonic, logger, lapsed: () => { this.#lapsed() },
    })
  }

  get isDraining(): boolean {
    return this.#stop.signal.aborted
  }

  get(tenantId: string): Session | undefined {
    return this.#sessions.get(tenantId)
  }

  all(): Session[] {
    return [...this.#sessions.values()].filter(session => !session.isFenced)
  }

  /** How the sessions are, for the metrics. */
  census(): Census {
    const at = this.#deps.monotonic()
    return census(
      this.#rows, this.all().map(session => session.vitals()),
      ({ ownerId }) => ownerId === undefined || !this.#observer.isAlive(ownerId, at), this.#deps.settings.silenceMs,
    )
  }

  async start(): Promise<void> {
    await this.#heartbeat.start()
    this.#polling = this.#poll()
  }

  /** A new socket for a session that is held here, unless messages are on their way or it is being changed already. */
  restart(tenantId: string): Restart | undefined {
    const session = this.#sessions.get(tenantId)
    if (session === undefined || session.isFenced) return undefined
    if (session.activeSends > 0 || this.#busy.has(tenantId) || this.isDraining) return 'busy'
    if (!session.isRunning && !session.isResting) return 'stopped'
    void this.#track(tenantId, () => this.#restart(session, session.generation))
    return 'restarting'
  }

  /** Drains sends, ends all sockets, and releases each session as soon as it is quiet; `ms` bounds the draining. */
  async stop(ms: number): Promise<void> {
    this.#stop.abort()
    for (const session of this.#sessions.values()) session.takeNoMoreSends()
    await this.#heartbeat.now() // tells the others that our share is theirs, before anything is free
    await this.#polling
    await this.#claiming
    await Promise.all(this.#busy.values())
    await Promise.all(this.all().map(session => this.#handOver(session, 'The container was stopped; another one takes over.', ms)))
    await this.#heartbeat.stop()
    await this.#deps.containers.remove(this.#deps.self.id)
  }

  async #poll(): Promise<void> {
    const { logger, settings } = this.#deps
    for (let first = true; !this.#stop.signal.aborted; first = false) {
      try {
        await this.#look(first)
      } catch (error) {
        logger.error({ err: error }, 'the rows of sessions and containers cannot be read; trying again')
      }
      await sleep(settings.sessionPollMs, this.#stop.signal)
    }
  }

  async #look(first: boolean): Promise<void> {
    const { records, containers, monotonic, self, addressIsOurs } = this.#deps
    const rows = await records.list()
    this.#rows = rows
    // After the sessions: an owner named there has its row by now, or has taken its leave.
    const seen = await containers.list()
    const at = monotonic()
    this.#observer.see(seen, at)
    if (first && addressIsOurs) {
      for (const { id, url } of seen) if (url === self.url && id !== self.id) this.#observer.giveUp(id)
    }
    for (const { id, beat } of this.#observer.forgotten(at)) void containers.remove(id, beat).catch(() => undefined)
    for (const session of this.#sessions.values()) if (session.isFenced) void this.#track(session.tenantId, () => this.#drop(session))
    if (this.#heartbeat.isHeld && !this.isDraining) this.#place(rows, at)
    for (const row of rows) {
      const session = this.#sessions.get(row.tenantId)
      if (session !== undefined) void this.#track(row.tenantId, () => this.#step(session, row))
    }
  }

  #place(rows: readonly StoredSession[], at: number): void {
    const held = [...this.#sessions.values()].map(session => ({
      tenantId: session.tenantId, movable: session.canSend && session.activeSends === 0 && !this.#busy.has(session.tenantId),
    }))
    const { claim, giveAway, without } = this.#placement.decide(rows, held, this.#observer, at)
    if (without > 0) this.#deps.logger.error({ sessions: without }, 'the containers together are too small: sessions stay unclaimed')
    if (claim.length > 0 && !this.#isClaiming) {
      this.#isClaiming = true
      this.#claiming = this.#claimAll(claim).finally(() => { this.#isClaiming = false })
    }
    const session = giveAway === undefined ? undefined : this.#sessions.get(giveAway)
    if (session !== undefined) {
      void this.#track(session.tenantId, () => this.#handOver(session, 'The session moves to another container.', MOVE_DRAIN_MS))
    }
  }

  async #claimAll(rows: readonly StoredSession[]): Promise<void> {
    for (const row of rows) {
      if (this.isDraining || !this.#heartbeat.isHeld) return
      await this.#track(row.tenantId, () => this.#claim(row))
    }
  }

  /** Runs a step of a tenant unless another one is under way. */
  async #track(tenantId: string, step: () => Promise<void>): Promise<void> {
    if (this.#busy.has(tenantId)) return
    const work = step()
      .catch((error: unknown) => { this.#deps.logger.error({ tenant: tenantId, err: error }, 'a session\'s desired state could not be reached; trying again') })
      .finally(() => this.#busy.delete(tenantId))
    this.#busy.set(tenantId, work)
    await work
  }

  async #step(session: Session, record: StoredSession): Promise<void> {
    const { desiredGeneration = 0 } = record
    const { token, isRunning: running, generation, isResting: resting } = session
    switch (stepFor(record, { token, running, generation, resting })) {
      case 'run':
        session.run(desiredGeneration)
        break
      case 'restart':
        await this.#restart(session, desiredGeneration)
        break
      case 'pause':
        await session.pause('The session was stopped on request.', this.#deps.settings.sendDeadlineMs)
        break
      case 'unlink':
        await session.unlink()
        break
      case 'fence':
        session.fence()
        break
      case 'none':
        await session.ensureReported()
    }
  }

  async #restart(session: Session, generation: number): Promise<void> {
    // Every send ends within its deadline, so this waits for all of them.
    await session.pause('A restart was asked for.', this.#deps.settings.sendDeadlineMs)
    session.run(generation)
  }

  async #claim(seen: StoredSession): Promise<void> {
    const { records, logger, now, self } = this.#deps
    // The list may come from an index and be a moment old: a claim begins with the row itself.
    const current = await records.get(seen.tenantId)
    if (current === undefined || current.ownerId !== seen.ownerId || current.ownerToken !== seen.ownerToken) return
    const claimed = await records.claim(current, self, now())
    if (claimed === undefined || !this.#heartbeat.isHeld) return // in the latter case the row names us, and we claim again
    const session = new Session(this.#deps, claimed)
    await session.open()
    this.#sessions.set(seen.tenantId, session)
    logger.info({ tenant: seen.tenantId, token: session.token }, 'session claimed')
    await this.#step(session, claimed)
  }

  /** Ends a session here, in good order, and lets the next owner have it. */
  async #handOver(session: Session, reason: string, drainMs: number): Promise<void> {
    const { records, logger } = this.#deps
    if (session.isRunning) await session.pause(reason, drainMs)
    await this.#drop(session)
    if (session.isFenced) return
    await records.release(session.tenantId, session.token)
    logger.info({ tenant: session.tenantId, token: session.token }, 'session released')
  }

  async #drop(session: Session): Promise<void> {
    await session.close()
    if (this.#sessions.get(session.tenantId) === session) this.#sessions.delete(session.tenantId)
  }

  /** Our lease has run out: from now on others may claim, so nothing may be held. */
  #lapsed(): void {
    this.#deps.logger.error('the lease of this container has run out; all its sessions are let go')
    for (const session of this.#sessions.values()) session.fence('The database could not be reached in time; another container takes over.')
  }
}

/** Only sessions without sends under way are given away; this is for one that begins in that instant. */
const MOVE_DRAIN_MS = 5_000
