/**
 * A preload for a process under measurement: tells its parent what it holds, after everything that can go has gone. The
 * program itself knows nothing of it. Needs `--expose-gc`. Plain JavaScript: a loader of TypeScript would be measured, too.
 */
import process from 'node:process'
import { setImmediate as turn } from 'node:timers/promises'
import { writeHeapSnapshot } from 'node:v8'

/** What a finalizer lets go of is collected by the next one. */
const COLLECTIONS = 3

process.on('message', async snapshot => {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc()
    await turn()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  if (typeof snapshot === 'string') writeHeapSnapshot(snapshot)
  process.send({ heapUsed, external, rss })
})
process.channel.unref() // nobody waits for a question
