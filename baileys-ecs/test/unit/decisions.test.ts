import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { backoffDelay } from '../../src/concurrency/backoff.js'
import { readAck, AckWaiters } from '../../src/session/acks.js'
import { raised } from '../../src/session/client-version.js'
import { isAnswer } from '../../src/session/pulse.js'
import { refusal } from '../../src/sending/refusals.js'
import { answerTo, failedAgain, MAX_FALLS, NO_FAILURES, RESTING_CODES, type Answer } from '../../src/session/disconnects.js'
import type { PairingEnd } from '../../src/session/pairing.js'
import { needsOwner, stepFor, type Held } from '../../src/session/reconcile.js'
import type { StoredSession } from '../../src/store/session-records.js'
import { deliveryOf } from '../../src/webhook/client.js'

const random = fc.double({ min: 0, max: 0.999999, noNaN: true })
const attempt = fc.nat({ max: 200 })

describe('the backoff', () => {
  it('stays between its floor and its ceiling, which doubles until the cap', () => {
    fc.assert(fc.property(attempt, random, (n, r) => {
      const delay = backoffDelay({ baseMs: 1_000, capMs: 60_000, floorMs: 250 }, n, () => r)
      assert.ok(delay >= 250 && delay <= Math.min(60_000, 1_000 * 2 ** Math.min(n, 30)))
    }))
  })

  it('uses the whole span, so that many sessions do not come back at once', () => {
    assert.equal(backoffDelay({ baseMs: 1_000, capMs: 60_000 }, 3, () => 0), 0)
    assert.equal(backoffDelay({ baseMs: 1_000, capMs: 60_000 }, 3, () => 1), 8_000)
  })
})

describe('the end of a socket', () => {
  const answer = (code: number | undefined, paired = true, n = 0, r = 0.5): ReturnType<typeof answerTo> =>
    answerTo({ code, paired, openForMs: 0 }, { attempts: n, falls: 0 }, 1_000, () => r)

  it('515 asks for a restart at once', () => { assert.deepEqual([answer(515).action, answer(515).delayMs], ['retry', 0]) })
  it('440 waits for half a minute at least, always', () => {
    fc.assert(fc.property(attempt, random, (n, r) => answer(440, true, n, r).delayMs >= 30_000))
  })
  it('401 is final and needs a new QR code', () => {
    assert.equal(answer(401).action, 'logged_out')
    assert.match(answer(401).reason, /QR code/)
  })
  it('403 stops and wakes somebody', () => { assert.deepEqual([answer(403).action, answer(403).alarm], ['stop', true]) })
  it('405 is tried slowly, with an alarm', () => {
    assert.ok(answer(405).delayMs >= 600_000)
    assert.equal(answer(405).alarm, true)
  })
  it('408 without credentials means that what was shown ran out, or that nothing was', () => {
    const unpaired = (code: number, pairing?: PairingEnd): Answer =>
      answerTo({ code, paired: false, openForMs: 0, ...(pairing === undefined ? {} : { pairing }) }, NO_FAILURES, 1_000, () => 0.5)
    assert.match(unpaired(408, 'qr').reason, /QR codes ran out/)
    assert.match(unpaired(408, 'code').reason, /pairing code expired/)
    assert.match(unpaired(408).reason, /did not offer a code/)
    for (const [code, reason] of [[404, /does not know this phone number/], [429, /too many.*Wait an hour/], [406, /refused the pairing code \(406\)/]] as const) {
      assert.equal(unpaired(code, 'refused').action, 'stop')
      assert.match(unpaired(code, 'refused').reason, reason)
      assert.ok(RESTING_CODES.has(code))
    }
    assert.doesNotMatch(answer(408, true).reason, /QR/)
  })
  it('of these kinds rests until a person asks, and `kesher link` knows the same ones', () => {
    const codes = readFileSync(resolve(import.meta.dirname, '../../../contracts/vectors/resting-codes.json'), 'utf8')
    assert.deepEqual([...RESTING_CODES].sort((a, b) => a - b), JSON.parse(codes))
  })
  it('503 waits longer than an ordinary end', () => {
    fc.assert(fc.property(attempt, random, (n, r) => answer(503, true, n, r).delayMs >= answer(428, true, n, r).delayMs))
  })
  it('500 never costs the auth state, in spite of Baileys\' name for it', () => { assert.equal(answer(500).action, 'retry') })
  it('of every other kind is retried after at least a quarter of a second, never faster than its backoff', () => {
    fc.assert(fc.property(fc.constantFrom(428, 408, 500, 999, undefined), attempt, random, (code, n, r) => {
      const { action, delayMs } = answer(code, true, n, r)
      assert.equal(action, 'retry')
      assert.ok(delayMs >= 250 && delayMs <= 60_000)
    }))
  })
  it('has a reason that a person understands, whatever the code', () => {
    const reasons: [number | undefined, RegExp][] = [
      [515, /restart/], [440, /[Aa]nother connection took this session over/], [401, /unlinked.*new QR code/], [403, /banned/],
      [405, /client version.*update/], [411, /does not take linked devices/], [408, /stopped answering/], [428, /was closed/],
      [503, /not available/], [500, /after an error/], [undefined, /ended/], [999, /ended/],
    ]
    for (const [code, reason] of reasons) assert.match(answer(code).reason, reason)
  })
  it('that comes again and again after a login breaks the circuit: minutes of rest, and an alarm', () => {
    const fall = { code: 428, paired: true, openForMs: 1_000 }
    let failures = NO_FAILURES
    for (let i = 1; i < MAX_FALLS; i++) {
      assert.ok(answerTo(fall, failures, 1_000, () => 1).delayMs <= 60_000)
      failures = failedAgain(failures, fall)
    }
    const broken = answerTo(fall, failures, 1_000, () => 0)
    assert.deepEqual([broken.action, broken.delayMs, broken.alarm], ['retry', 300_000, true])
    assert.match(broken.reason, /again and again.*was closed/)
    assert.equal(answerTo({ ...fall, code: 515 }, failures, 1_000, () => 0).delayMs, 0) // WhatsApp asked for it
  })
  it('before any login does not break the circuit, however often: whoever cannot reach WhatsApp must be back soon', () => {
    let failures = NO_FAILURES
    for (let i = 0; i < 100; i++) failures = failedAgain(failures, { openForMs: 0 })
    assert.ok(answerTo({ code: 428, paired: true, openForMs: 0 }, failures, 1_000, () => 1).delayMs <= 60_000)
  })
})

describe('the client version', () => {
  it('is only ever raised', () => {
    assert.deepEqual(raised('2.3000.5', [2, 3000, 4]), [2, 3000, 5])
    assert.deepEqual(raised('2.3000.3', [2, 3000, 4]), [2, 3000, 4])
    assert.deepEqual(raised('3.0.0', [2, 3000, 4]), [3, 0, 0])
    assert.deepEqual(raised('1.9999.9', [2, 3000, 4]), [2, 3000, 4])
    for (const nonsense of ['', 'latest', '2.3000', '2.3000.x', '-1.0.0']) assert.equal(raised(nonsense, [2, 3000, 4]), undefined)
  })
})

describe('an answer of WhatsApp\'s server', () => {
  it('is one to something of ours; what it sends by itself proves nothing', () => {
    assert.equal(isAnswer({ tag: 'ack', attrs: {} }), true)
    assert.equal(isAnswer({ tag: 'iq', attrs: { type: 'result' } }), true)
    assert.equal(isAnswer({ tag: 'iq', attrs: { type: 'error' } }), true)
    assert.equal(isAnswer({ tag: 'iq', attrs: { type: 'get' } }), false)
    assert.equal(isAnswer({ tag: 'message', attrs: {} }), false)
  })
})

describe('a session row', () => {
  const row = (change: Partial<StoredSession>): StoredSession => ({ tenantId: 't', desired: 'linked', ownerToken: 1, ...change })
  const held = (change: Partial<Held> = {}): Held => ({ token: 1, running: true, generation: 0, resting: false, ...change })

  it('needs an owner while a socket is wanted, or something that was asked for is not done and reported yet', () => {
    const needing: Partial<StoredSession>[] = [
      { desired: 'linked' }, { desired: 'linked', state: 'logged_out' }, { desired: 'stopped', state: 'connected' },
      { desired: 'unlinked', state: 'disconnected' }, { desired: 'unlinked', state: 'connected' },
    ]
    for (const change of needing) assert.equal(needsOwner(row(change)), true, JSON.stringify(change))
    const done: Partial<StoredSession>[] = [
      { desired: 'stopped' }, { desired: 'stopped', state: 'disconnected' }, { desired: 'stopped', state: 'logged_out' },
      { desired: 'unlinked' }, { desired: 'unlinked', state: 'logged_out' },
    ]
    for (const change of done) assert.equal(needsOwner(row(change)), false, JSON.stringify(change))
  })
  it('with a higher token fences its holder', () => { assert.equal(stepFor(row({ ownerToken: 2 }), held()), 'fence') })
  it('stops, runs, restarts and unlinks what is held', () => {
    assert.equal(stepFor(row({ desired: 'stopped' }), held()), 'pause')
    assert.equal(stepFor(row({ desired: 'stopped' }), held({ running: false })), 'none')
    assert.equal(stepFor(row({}), held({ running: false })), 'run')
    assert.equal(stepFor(row({}), held()), 'none')
    assert.equal(stepFor(row({ desiredGeneration: 3 }), held({ generation: 2 })), 'restart')
    assert.equal(stepFor(row({ desired: 'unlinked' }), held()), 'unlink')
    assert.equal(stepFor(row({ desired: 'unlinked', state: 'logged_out' }), held({ running: false })), 'none')
  })
  it('of a number that was logged out rests until somebody asks', () => {
    assert.equal(stepFor(row({ state: 'logged_out' }), held({ running: false, resting: true })), 'none')
    assert.equal(stepFor(row({ state: 'logged_out', desiredGeneration: 1 }), held({ running: false, resting: true })), 'run')
  })
})

describe('an answer of the webhook', () => {
  it('accepts with any 2xx that says what became of the event', () => {
    for (const result of ['accepted', 'duplicate', 'ignored']) assert.equal(deliveryOf(202, JSON.stringify({ result })).kind, 'accepted')
  })
  it('has nothing when somebody else answers 2xx in its place; a person must look', () => {
    for (const body of ['', '<html>Welcome</html>', 'null', '"accepted"', '{}', '{"result":"queued"}', '{"result":["accepted"]}', '{"result":']) {
      const delivery = deliveryOf(200, body)
      assert.deepEqual([delivery.kind, delivery.kind === 'failed' && delivery.slow], ['failed', true], body)
    }
  })
  it('refuses an event only when the event itself is at fault', () => {
    for (const status of [400, 413, 415, 422]) assert.equal(deliveryOf(status, '{}').kind, 'refused')
  })
  it('is a failure of the way, to be repeated, for everything that may heal', () => {
    for (const status of [301, 401, 403, 404, 408, 425, 429, 500, 502, 503]) assert.equal(deliveryOf(status, '').kind, 'failed')
  })
  it('is repeated slowly when only a person can change it', () => {
    const slow = [401, 403, 404, 429, 500].filter(status => {
      const delivery = deliveryOf(status, '{"error":"unknown_tenant"}')
      return delivery.kind === 'failed' && delivery.slow
    })
    assert.deepEqual(slow, [403, 404])
  })
  it('never quotes the event in a log line', () => {
    const delivery = deliveryOf(422, '{"error":"bad_body","reason":"text: שלום"}')
    assert.ok(delivery.kind === 'refused' && delivery.reason === 'HTTP 422: bad_body')
  })
})

describe('an acknowledgement', () => {
  it('with an error is a refusal', () => {
    assert.deepEqual(readAck({ id: 'A', error: '463' }, 5), { kind: 'refused', code: '463' })
    assert.deepEqual(readAck({ id: 'A' }, 5), { kind: 'accepted', at: 5 })
  })
  it('reaches whoever waits, and only them', async () => {
    const waiters = new AckWaiters()
    const one = waiters.wait('A')
    const two = waiters.wait('A')
    assert.equal(waiters.settle('B', { kind: 'accepted', at: 1 }), false)
    assert.equal(waiters.settle('A', { kind: 'accepted', at: 2 }), true)
    assert.deepEqual([await one.ack, await two.ack], [{ kind: 'accepted', at: 2 }, { kind: 'accepted', at: 2 }])
    one.release()
    two.release()
    assert.equal(waiters.settle('A', { kind: 'accepted', at: 3 }), false)
  })
  it('463 and 479 are permanent, with a plain reason and, if known, until when', () => {
    const until = new Date('2030-01-02T03:04:05Z')
    assert.equal(refusal('A', '479').permanent, true)
    assert.equal(refusal('A', '463').permanent, true)
    assert.equal(refusal('A', '463', until).until, until.getTime())
    assert.equal(refusal('A', '479', until).until, undefined)
    assert.equal(refusal('A', '503').permanent, false)
    assert.equal(refusal('A', '429').permanent, false)
    assert.equal(refusal('A', '400').permanent, true)
  })
})
