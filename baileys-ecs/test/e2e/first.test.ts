import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000)
})

describe('one message all the way', () => {
  it('pairs, receives, forwards, answers', async t => {
    const scene = await createScene(t, emulator)
    const api = await scene.start()
    await scene.pair(api).catch((e: unknown) => { process.stderr.write(api.lines.join('')); throw e })
    await scene.customer.say(scene.business, 'hi')
    await eventually('the event', () => scene.webhook.texts().includes('hi'), 5000).catch((e: unknown) => { process.stderr.write(api.lines.join('')); throw e })
    const { status, result } = await api.send(await scene.command('shalom'))
    process.stderr.write(api.lines.slice(-14).join(''))
    process.stderr.write(JSON.stringify(scene.webhook.events, null, 1))
    assert.equal(status, 200)
    assert.equal(result.outcome, 'sent')
    await eventually('the answer', () => scene.customer.inbox.after().find(m => m.text === 'shalom'))
  })
})
