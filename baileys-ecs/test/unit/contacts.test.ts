import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { proto } from '@whiskeysockets/baileys'
import { contactIn, type Mutation } from '../../src/contacts/mutation.js'

const PHONE = '972521111111@s.whatsapp.net'
const LID = '8972521111111@lid'

const change = (action: proto.SyncActionValue.IContactAction, more: Partial<Mutation> = {}): Mutation =>
  ({ removed: false, index: ['contact', PHONE], value: { contactAction: action }, ...more })

describe('a change of the address book', () => {
  it('saves whoever has a name', () => {
    assert.deepEqual(contactIn(change({ fullName: 'Dana Cohen' })), { jid: PHONE, saved: true })
    assert.deepEqual(contactIn(change({ firstName: 'Dana' })), { jid: PHONE, saved: true })
  })

  it('does not save whoever has none: WhatsApp keeps entries for strangers, too', () => {
    for (const action of [{}, { fullName: '' }, { fullName: ' ', firstName: null }, { username: 'dana' }]) {
      assert.deepEqual(contactIn(change(action)), { jid: PHONE, saved: false })
    }
  })

  it('is a removal whatever name it repeats, and needs no value at all', () => {
    assert.deepEqual(contactIn(change({ fullName: 'Dana' }, { removed: true })), { jid: PHONE, saved: false })
    assert.deepEqual(contactIn(change({}, { removed: true, value: {} })), { jid: PHONE, saved: false })
  })

  it('names the other address, without a device', () => {
    assert.deepEqual(contactIn(change({ fullName: 'Dana', lidJid: '8972521111111:3@lid' })), { jid: PHONE, saved: true, alias: LID })
    const byLid = change({ fullName: 'Dana', pnJid: PHONE }, { index: ['contact', LID] })
    assert.deepEqual(contactIn(byLid), { jid: LID, saved: true, alias: PHONE })
    assert.deepEqual(contactIn(change({ fullName: 'Dana', lidJid: 'nobody' })), { jid: PHONE, saved: true })
  })

  it('may be of somebody known by a LID alone', () => {
    const hidden: Mutation = { removed: false, index: ['lid_contact', LID], value: { lidContactAction: { fullName: 'Dana' } } }
    assert.deepEqual(contactIn(hidden), { jid: LID, saved: true })
  })

  it('is nobody if it is about a group, a setting or nothing', () => {
    for (const index of [['contact', '120363000000000001@g.us'], ['setting_pushName'], ['contact'], ['contact', 7], []]) {
      assert.equal(contactIn(change({ fullName: 'Dana' }, { index })), undefined)
    }
  })
})
