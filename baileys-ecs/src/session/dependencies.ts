import type { Spacing } from '../concurrency/spacing.js'
import type { Random } from '../concurrency/backoff.js'
import type { MediaShelf } from '../media/shelf.js'
import type { Counters } from '../observability/counters.js'
import type { Logger } from '../observability/logger.js'
import type { Settings } from '../settings.js'
import type { Table } from '../store/dynamo.js'
import type { LiveSettings } from '../store/live-settings.js'
import type { MediaBucket } from '../store/media.js'
import type { SessionRecords } from '../store/session-records.js'
import type { Deliver } from '../webhook/client.js'

/** What every session of this process shares. */
export interface SessionDependencies {
  readonly table: Table
  readonly records: SessionRecords
  readonly deliver: Deliver
  readonly settings: Settings
  readonly random: Random
  readonly now: () => number
  readonly monotonic: () => number
  readonly logger: Logger
  readonly counters: Counters
  readonly live: LiveSettings
  readonly shelf: MediaShelf
  /** Where files to be sent lie; without one none can be sent. */
  readonly bucket: MediaBucket | undefined
  /** The turns in which this process opens sockets. */
  readonly starts: Spacing
}
