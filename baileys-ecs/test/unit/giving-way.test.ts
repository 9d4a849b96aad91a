import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WASocket } from '@whiskeysockets/baileys'
import fc from 'fast-check'
import { createLogger } from '../../src/observability/logger.js'
import { OwnWrites } from '../../src/sending/own-writes.js'
import type { Pace } from '../../src/sending/pace.js'
import { Relays } from '../../src/sending/relays.js'
import type { Connection } from '../../src/session/connection.js'
import type { SentLog } from '../../src/store/sent-log.js'

const LID = '111@lid'
const PHONE = '972521111111@s.whatsapp.net'
const ME = '972500000001@s.whatsapp.net'
const RUNS = 500

/** Steps of a send at which the owner may come; `composing` is while the customer sees "typing ...". */
type Step = 'name' | 'session' | 'pace' | 'devices' | 'record' | 'composing' | 'sent'

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(done => { setImmediate(done) })
}

interface Case { readonly author: 'assistant' | 'person'; readonly comesAt: Step; readonly pauses: readonly number[]; readonly byPhone: boolean; readonly composingMs: number }

/** One send of the real code over a connection of turns; the owner's message arrives once `comesAt` has begun. */
async function send({ author, comesAt, pauses, byPhone, composingMs }: Case): Promise<{ relayedAfter: boolean; outcome: string; came: boolean }> {
  const writes = new OwnWrites(() => performance.now())
  let came = false
  let relayedAfter = false
  let steps = 0
  const begun = (step: Step): void => {
    if (step !== comesAt || came) return
    came = true
    writes.arrived({ fromMe: true, attrs: { id: 'OWN', from: ME, recipient: LID, recipient_pn: PHONE } })
  }
  const step = async (name: Step): Promise<void> => {
    const pause = pauses[steps++ % pauses.length] ?? 0
    await turns(pause)
    begun(name)
    await turns(pause)
  }
  const socket = {
    user: { id: ME, lid: '1@lid' },
    signalRepository: {
      lidMapping: { getPNForLID: async () => { await step('name'); return PHONE } },
      jidToSignalProtocolAddress: (jid: string) => jid,
    },
    authState: { keys: { get: async (type: string) => {
      await step(type === 'session' ? 'session' : 'name')
      return type === 'session' ? { [LID]: {} } : { '972521111111': '111' }
    } } },
    getUSyncDevices: async () => { await step('devices'); return [{ jid: byPhone ? PHONE : LID }] },
    sendPresenceUpdate: (state: string) => { if (state === 'composing') setImmediate(() => { begun('composing') }); return Promise.resolve() },
    readMessages: () => Promise.resolve(),
    relayMessage: async () => { relayedAfter = came; await step('sent') },
    waUploadToServer: () => Promise.reject(new Error('a text has no file')),
  } as unknown as WASocket
  const relays = new Relays({
    sent: { record: () => step('record') } as unknown as SentLog,
    pace: { ask: async () => { await step('pace'); return { writes: () => [], giveBack: () => undefined } } } as unknown as Pace,
    ownWrites: writes, gaveWay: () => undefined, composingMs, deadlineMs: 1_000, bucket: undefined, random: () => 0.5, restrictedUntil: () => undefined,
    now: Date.now, logger: createLogger('silent'),
  })
  const connection = { socket, isOver: false, onEnd: () => () => undefined } as unknown as Connection
  const done = await relays.begin(connection, {
    command: {
      version: 1, tenantId: 't', correlationId: 'c', messageId: '3A00000000000000AA', chatJid: byPhone ? PHONE : LID, author,
      content: { kind: 'text', text: 'we open at nine' },
    },
    cameIn: performance.now(), over: () => false, expired: new Promise(() => undefined),
  } as unknown as Parameters<Relays['begin']>[1], undefined)
  return { relayedAfter, outcome: 'outcome' in done ? done.outcome : 'relayed', came }
}

const STEPS: readonly Step[] = ['name', 'session', 'pace', 'devices', 'record', 'composing']

describe('the owner who writes while an answer is under way', () => {
  it(`comes before it, at ${RUNS} moments of a send and of "typing ..."`, async () => {
    const seen = new Set<Step>()
    await fc.assert(fc.asyncProperty(
      fc.constantFrom(...STEPS), fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), fc.boolean(), fc.integer({ min: 2, max: 6 }),
      async (comesAt, pauses, byPhone, composingMs) => {
        const { relayedAfter, outcome, came } = await send({ author: 'assistant', comesAt, pauses, byPhone, composingMs })
        fc.pre(came || comesAt !== 'composing') // on a busy machine the time for typing may be over before it began
        assert.ok(came, `the send passes ${comesAt}`)
        assert.equal(relayedAfter, false, `relayed after the owner came at ${comesAt}`)
        assert.equal(outcome, 'superseded')
        seen.add(comesAt)
      },
    ), { numRuns: RUNS })
    assert.deepEqual([...seen].sort(), [...STEPS].sort())
  })

  it('comes too late for what is in Baileys\' hands, and holds back nothing of a person', async () => {
    assert.equal((await send({ author: 'assistant', comesAt: 'sent', pauses: [1], byPhone: false, composingMs: 2 })).outcome, 'relayed')
    assert.equal((await send({ author: 'person', comesAt: 'record', pauses: [1], byPhone: false, composingMs: 2 })).outcome, 'relayed')
  })
})
