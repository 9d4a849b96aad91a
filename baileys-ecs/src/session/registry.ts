import PQueue from 'p-queue'
import { OneEach } from '../concurrency/one-each.js'
import { sleep } from '../concurrency/sleep.js'
import { Spacing } from '../concurrency/spacing.js'
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
  readonly #steps: OneEach
  readonly #claims = new PQueue({ concurrency: CLAIMS_AT_ONCE })
  /** Tenants that are being claimed. */
  readonly #claiming = new Set<string>()
  readonly #stop = new AbortController()
  readonly #observer: Observer
  readonly #heartbeat: Heartbeat
  readonly #placement: Placement
  /** As last read. */
  #rows: readonly StoredSession[] = []
  #polling: Promise<void> = Promise.resolve()

  constructor(deps: RegistryDependencies) {
    const { settings, containers, self, monotonic, logger, random } = deps
    const { heartbeatMs: beatMs, leaseMs, capacity, rebalanceMs } = settings
    this.#deps = deps
    this.#steps = new OneEach((tenant, err) => { logger.error({ tenant, err }, 'a session\'s desired state could not be reached; trying again') })
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
    if (session.activeSends > 0 || this.#steps.has(tenantId) || this.isDraining) return 'busy'
    if (!session.isRunning && !session.isResting) return 'stopped'
    void this.#steps.run(tenantId, () => this.#restart(session, session.generation))
    return 'restarting'
  }

  /** Drains sends, ends all sockets, and releases each session as soon as it is quiet; `ms` bounds the draining. */
  async stop(ms: number): Promise<void> {
    const { monotonic, settings, self, containers, logger } = this.#deps
    const until = monotonic() + ms
    this.#stop.abort()
    await this.#heartbeat.now() // tells the others that our share is theirs, before anything is free
    await this.#polling
    await this.#claims.onIdle()
    // The numbers stay connected until somebody stands ready to take them, and end no faster than others may start.
    if (this.#hasSuccessors()) await sleep(Math.min(settings.sessionPollMs, ms / 4))
    const sessions = this.all()
    const ends = new Spacing(Math.min(settings.startSpacingMs, ms / 4 / sessions.length), monotonic)
    await Promise.all(sessions.map(async session => {
      await ends.turn()
      await this.#steps.ended(session.tenantId) // it may wait for WhatsApp for a minute; the other numbers do not wait with it
      await this.#handOver(session, 'The container was stopped; another one takes over.', Math.max(0, until - monotonic()))
        // Whoever is not released is taken when its lease has run out; the others are not to wait for that.
        .catch((error: unknown) => { logger.error({ tenant: session.tenantId, err: error }, 'a session could not be released') })
    }))
    await this.#heartbeat.stop()
    await containers.remove(self.id)
  }

  async #poll(): Promise<void> {
    const { logger, settings, monotonic } = this.#deps
    for (let first = true; !this.#stop.signal.aborted; first = false) {
      try {
        await this.#look(first)
      } catch (error) {
        logger.error({ err: error }, 'the rows of sessions and containers cannot be read; trying again')
      }
      const pause = settings.sessionPollMs / (this.#observer.isAnyLeaving(monotonic()) ? LOOKS_AT_ONE_LEAVING : 1)
      await sleep(pause, this.#stop.signal)
    }
  }

  /** Whether another container takes what is released here. */
  #hasSuccessors(): boolean {
    const { monotonic, self } = this.#deps
    return this.#observer.alive(monotonic()).some(({ id, draining }) => id !== self.id && !draining)
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
    for (const session of this.#sessions.values()) if (session.isFenced) void this.#steps.run(session.tenantId, () => this.#drop(session))
    if (this.#heartbeat.isHeld && !this.isDraining) this.#place(rows, at)
    for (const row of rows) {
      const session = this.#sessions.get(row.tenantId)
      if (session !== undefined) void this.#steps.run(row.tenantId, () => this.#step(session, row))
    }
  }

  #place(rows: readonly StoredSession[], at: number): void {
    const held = [...this.#sessions.values()].map(session => ({
      tenantId: session.tenantId, movable: session.canSend && session.activeSends === 0 && !this.#steps.has(session.tenantId),
    }))
    const coming = [...this.#claiming].filter(tenantId => !this.#sessions.has(tenantId)).map(tenantId => ({ tenantId, movable: false }))
    const { claim, giveAway, without } = this.#placement.decide(rows, [...held, ...coming], this.#observer, at)
    if (without > 0) this.#deps.logger.error({ sessions: without }, 'the containers together are too small: sessions stay unclaimed')
    for (const row of claim) this.#queueClaim(row)
    const session = giveAway === undefined ? undefined : this.#sessions.get(giveAway)
    if (session !== undefined) {
      void this.#steps.run(session.tenantId, () => this.#handOver(session, 'The session moves to another container.', MOVE_DRAIN_MS))
    }
  }

  #queueClaim(row: StoredSession): void {
    this.#claiming.add(row.tenantId)
    void this.#claims.add(async () => {
      if (!this.isDraining && this.#heartbeat.isHeld) await this.#steps.run(row.tenantId, () => this.#claim(row))
    }).finally(() => this.#claiming.delete(row.tenantId))
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
    // The list may come from an index and be a moment old; the claim has the row itself in its condition.
    const claimed = await records.claim(seen, self, now())
    if (claimed === undefined || !this.#heartbeat.isHeld) return // in the latter case the row names us, and we claim again
    const session = new Session(this.#deps, claimed)
    await session.open()
    this.#sessions.set(seen.tenantId, session)
    logger.info({ tenant: seen.tenantId, token: session.token }, 'session claimed')
    await this.#step(session, claimed)
  }

  async #handOver(session: Session, reason: string, drainMs: number): Promise<void> {
    await session.handOver(reason, drainMs)
    await this.#drop(session)
    if (!session.isFenced) this.#deps.logger.info({ tenant: session.tenantId, token: session.token }, 'session released')
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
/** A claim is some round trips to the database; more at once would only wait for one another there. */
const CLAIMS_AT_ONCE = 8
/** While somebody leaves, this often in the time between two looks: each look that comes late is a gap for a customer. */
const LOOKS_AT_ONE_LEAVING = 5
