/**
 * `make soak-gateway HOURS=12`: so many hours of three busy businesses (see `DAY`), compressed sixtyfold. The number of messages, chats, reconnects
 * and timed rounds is that of the real day. Memory is looked at every ten minutes of the day, when everything has arrived and after a full
 * collection; the first third is warm-up. Ends with 1 if a message was lost or doubled, or if the last quarter has 5 % more than the first.
 *
 * `SEED=` repeats a day, `SNAPSHOTS=` names a folder for heap snapshots after the warm-up and at the end. SIGINT and SIGTERM end the day early.
 */
import { whole } from '../support/arguments.js'
import { faultsOf, harm, lineOf } from '../support/chaos.js'
import { longRun } from '../support/long-run.js'
import { growth } from '../support/memory.js'
import { COMPRESSION, soak } from '../support/soak.js'

const MOST_GROWTH = 0.05
const hours = whole('HOURS', 12, 1)
const seed = whole('SEED', 1)
const snapshots = process.env['SNAPSHOTS'] ?? ''
const percent = (share: number | undefined): string => share === undefined ? 'too_few_samples' : `${(share * 100).toFixed(1)}%`

await longRun(async ({ t, emulator, say, enough }) => {
  const warmUp = Math.floor(hours / 3)
  say(`HOURS=${hours} SEED=${seed}, ${COMPRESSION} times as fast, warm-up ${warmUp} h`)
  const { counts, messages, samples, reconnects, beats } = await soak(t, emulator, {
    hours, seed, warmUp, progress: say, enough, ...(snapshots === '' ? {} : { snapshots }),
  })
  say(`${faultsOf(counts)} logins=${reconnects} heartbeats=${beats} samples=${samples.length}`)
  const grown = growth(samples)
  return {
    holds: harm(counts) === 0 && grown !== undefined && grown.held < MOST_GROWTH && grown.resident < MOST_GROWTH,
    line: `messages=${messages} ${lineOf(counts)} heap_growth=${percent(grown?.held)} rss_growth=${percent(grown?.resident)}`,
  }
})
