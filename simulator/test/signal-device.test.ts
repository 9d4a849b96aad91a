import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SignalDevice } from '../src/people/signal-device.js'

describe('Two phones that open a session with each other at the same time', () => {
  it('understand every message, however they cross', async () => {
    const [one, two] = [new SignalDevice(), new SignalDevice()]
    await one.openSession('2.0', two.bundle())
    await two.openSession('1.0', one.bundle())
    let fromOne = await one.encrypt('2.0', { conversation: 'one 0' })
    let fromTwo = await two.encrypt('1.0', { conversation: 'two 0' })
    for (let round = 1; round < 12; round++) {
      assert.equal((await two.decrypt('1.0', fromOne)).conversation, `one ${round - 1}`)
      assert.equal((await one.decrypt('2.0', fromTwo)).conversation, `two ${round - 1}`)
      fromOne = await one.encrypt('2.0', { conversation: `one ${round}` })
      fromTwo = await two.encrypt('1.0', { conversation: `two ${round}` })
    }
  })
})
