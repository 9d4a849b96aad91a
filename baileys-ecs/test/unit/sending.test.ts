import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { MessageRow } from '../../src/journal/row.js'
import { composingMs } from '../../src/sending/composing.js'
import { Pace, SlidingWindow, type Permit, type Wait } from '../../src/sending/pace.js'
import type { NewChatLog } from '../../src/store/new-chats.js'
import { OwnWrites } from '../../src/sending/own-writes.js'

const LID = '111@lid'
const PHONE = '972521111111@s.whatsapp.net'

const stanza = (id: string, attrs: Readonly<Record<string, string>> = {}): MessageRow => ({
  kind: 'message', sk: `1#${id}`, lane: LID, receivedAt: 1, fromMe: true, backlog: false,
  attrs: { id, from: '972500000001:0@s.whatsapp.net', recipient: LID, recipient_pn: PHONE, ...attrs },
})

describe('what the business\'s phone wrote', () => {
  it('silences the assistant, by either name of the person, until the webhook has it and what was claimed before has come in', () => {
    let now = 0
    const writes = new OwnWrites(() => now)
    writes.arrived(stanza('A'))
    for (const name of [LID, PHONE]) assert.ok(writes.supersede([name], now))
    assert.equal(writes.supersede(['222@lid'], now), false)
    writes.journalled(stanza('A'))
    writes.handled('A')
    now = 60_000
    assert.ok(writes.supersede([LID], now), 'the webhook has been away for a minute')
    writes.forwarded(stanza('A'))
    assert.ok(writes.supersede([LID], now - 1), 'a command that was here already')
    assert.ok(writes.supersede([LID], now + 3_000), 'a command that was claimed before')
    assert.equal(writes.supersede([LID], now + 4_000), false)
  })

  it('is waited for only if there is something to bring to the webhook', () => {
    let now = 0
    const writes = new OwnWrites(() => now)
    writes.arrived(stanza('undecryptable'))
    writes.handled('undecryptable')
    writes.arrived(stanza('B', { category: 'peer' }))
    writes.arrived(stanza('C', { recipient: '123-456@g.us' }))
    writes.arrived({ ...stanza('D', { from: LID }), fromMe: false })
    writes.journalled({ ...stanza('E'), parked: { at: 1, status: 400, reason: 'refused' } })
    now = 5_000
    assert.equal(writes.supersede([LID, PHONE, '123-456@g.us'], now), false)
    assert.deepEqual(writes.awaited, [])
  })

  it('takes bounded memory, however much the phone writes', () => {
    const writes = new OwnWrites(() => 0)
    for (let i = 0; i < 6_000; i++) writes.journalled(stanza(`A${i}`))
    assert.equal(writes.size, 5_000)
    let now = 0
    const short = new OwnWrites(() => now)
    for (; now < 1_000_000; now += 1_000) {
      short.arrived(stanza(`B${now}`))
      short.handled(`B${now}`)
    }
    assert.ok(short.size <= 122, `${short.size}`)
  })

  it('silences every command from its arrival to the webhook\'s answer, and lets go soon after', () => {
    fc.assert(fc.property(fc.nat(50_000), fc.nat(50_000), fc.nat(150_000), (arrives, takes, asks) => {
      let now = arrives
      const writes = new OwnWrites(() => now)
      writes.journalled(stanza('A'))
      now += takes
      writes.forwarded(stanza('A'))
      const silent = writes.supersede([LID], asks)
      if (asks <= arrives + takes) assert.ok(silent)
      if (asks >= arrives + takes + 4_000) assert.ok(!silent)
    }))
  })
})

describe('a sliding window', () => {
  it('never lets more than its limit happen within its span, and tells exactly when the next one may', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(40), { minLength: 1, maxLength: 60 }), (limit, pauses) => {
      const span = 100
      const window = new SlidingWindow(span)
      const passed: number[] = []
      let now = 0
      for (const pause of pauses) {
        now += pause
        const wait = window.waitMs(limit, now)
        if (wait > 0) {
          assert.ok(window.waitMs(limit, now + wait - 1) > 0, 'not a moment too late')
          now += wait
        }
        assert.equal(window.waitMs(limit, now), 0)
        window.add(now)
        passed.push(now)
      }
      for (const [n, time] of passed.entries()) assert.ok(time - (passed[n - limit] ?? -Infinity) >= span)
    }))
  })
})

describe('the pace of a number', () => {
  const pace = (limits: Partial<{ messagesAMinute: number; newChatsADay: number }> = {}, stored: readonly number[] = []): { readonly pace: Pace; at: number } => {
    const world = { at: 0, pace: undefined as unknown as Pace }
    const log = { read: () => Promise.resolve(stored), write: (times: readonly number[]) => ({ put: { pk: 'p', sk: 's', times } }) }
    world.pace = new Pace({
      messagesAMinute: 2, newChatsADay: 1, ...limits, newChats: log as unknown as NewChatLog, monotonic: () => world.at, now: () => 1_000_000 + world.at,
    })
    return world
  }
  const waits = (answer: Permit | Wait): number => 'retryAfterMs' in answer ? answer.retryAfterMs : 0

  it('gives back what was not sent, and holds a person back only far above the limit', async () => {
    const world = pace()
    const permits = [await world.pace.ask('assistant', false), await world.pace.ask('assistant', false)]
    assert.equal(waits(await world.pace.ask('assistant', false)), 60_000)
    for (let i = 0; i < 4; i++) assert.equal(waits(await world.pace.ask('person', false)), 0)
    world.at = 10_000
    assert.equal(waits(await world.pace.ask('person', false)), 50_000)
    const [permit] = permits
    assert.ok(permit !== undefined && 'giveBack' in permit)
    permit.giveBack()
    assert.equal(waits(await world.pace.ask('person', false)), 0)
  })

  it('counts new chats of the last day, those of an earlier process too, and writes them with the message', async () => {
    const world = pace({}, [500_000])
    assert.equal(waits(await world.pace.ask('assistant', true)), 500_000 + 86_400_000 - 1_000_000)
    assert.equal(waits(await world.pace.ask('assistant', false)), 0, 'an answer in a known chat')
    world.at = 86_400_000
    const permit = await world.pace.ask('assistant', true)
    assert.ok('writes' in permit)
    assert.deepEqual(permit.writes(), [{ put: { pk: 'p', sk: 's', times: [87_400_000] } }])
  })
})

describe('composing', () => {
  it('takes a quarter of the time for a short answer, all of it for a long one, and jitter of 15 %', () => {
    assert.deepEqual([0, 150, 300, 5_000].map(characters => composingMs(characters, 0, 4_000, () => 0.5)), [1_000, 2_500, 4_000, 4_000])
    assert.deepEqual([0, 1].map(random => composingMs(300, 0, 4_000, () => random)), [3_400, 4_600])
  })

  it('counts the time that the customer has waited, is never negative, and longer for longer answers', () => {
    assert.equal(composingMs(300, 1_500, 4_000, () => 0.5), 2_500)
    assert.equal(composingMs(300, 60_000, 4_000, () => 0.5), 0)
    assert.equal(composingMs(300, -60_000, 4_000, () => 0.5), 4_000, 'WhatsApp\'s clock is ahead of ours')
    assert.equal(composingMs(300, 0, 0, () => 0.5), 0)
    fc.assert(fc.property(fc.nat(70_000), fc.nat(70_000), fc.integer({ min: -10_000, max: 10_000 }), fc.nat(20_000), (one, other, waited, most) => {
      const [short, long] = [Math.min(one, other), Math.max(one, other)].map(length => composingMs(length, waited, most, () => 0.5))
      assert.ok(short !== undefined && long !== undefined && short >= 0 && long >= short && long <= most)
    }))
  })
})
