import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseSecret, SecretError, Secrets, type InternalSecret } from '../../src/webhook/secrets.js'

describe('the internal secret', () => {
  it('is plain text, or JSON with a current and a previous one', () => {
    assert.deepEqual(parseSecret('plain'), { current: 'plain' })
    assert.deepEqual(parseSecret('{"current":"a","previous":"b"}'), { current: 'a', previous: 'b' })
    assert.equal(parseSecret('{"current":"a"}').previous, undefined)
    for (const wrong of ['', '{', '{}', '{"current":""}']) assert.throws(() => parseSecret(wrong), SecretError)
  })

  it('verifies as current and as previous, and nothing else', async () => {
    const secrets = new Secrets(() => Promise.resolve({ current: 'a', previous: 'b' }), () => 0)
    assert.equal(await secrets.verify('a'), true)
    assert.equal(await secrets.verify('b'), true)
    for (const wrong of ['', 'c', 'ab', 'A']) assert.equal(await secrets.verify(wrong), false)
  })

  it('is read again before a refusal, at most once a minute, so that it can be rotated', async () => {
    let now = 0
    let stored: InternalSecret = { current: 'old' }
    let reads = 0
    const secrets = new Secrets(() => { reads++; return Promise.resolve(stored) }, () => now)
    assert.equal(await secrets.verify('old'), true)
    stored = { current: 'new', previous: 'old' }
    now = 30_000
    for (let i = 0; i < 5; i++) assert.equal(await secrets.verify('guess'), false)
    assert.equal(reads, 1)
    now = 61_000
    assert.equal(await secrets.verify('new'), true)
    assert.equal(await secrets.verify('old'), true)
    assert.equal(reads, 2)
  })

  it('stays in force while it cannot be read again', async () => {
    let now = 0
    let fail = false
    const secrets = new Secrets(() => fail ? Promise.reject(new Error('down')) : Promise.resolve({ current: 'a' }), () => now)
    await secrets.current()
    fail = true
    now = 120_000
    assert.equal(await secrets.verify('a'), true)
  })

  it('stays in force while it is being read again, however long that takes', async () => {
    let now = 0
    let stalled = false
    const secrets = new Secrets(() => stalled ? new Promise(() => undefined) : Promise.resolve({ current: 'a' }), () => now)
    await secrets.current()
    stalled = true
    now = 120_000
    assert.deepEqual(await secrets.current(), { current: 'a' })
    assert.equal(await secrets.verify('a'), true)
  })

  it('that cannot be read at the start is an error, and is tried again', async () => {
    let fail = true
    const secrets = new Secrets(() => fail ? Promise.reject(new Error('down')) : Promise.resolve({ current: 'a' }), () => 0)
    await assert.rejects(secrets.current(), /down/)
    fail = false
    assert.deepEqual(await secrets.current(), { current: 'a' })
  })
})
