import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { proto } from '@whiskeysockets/baileys'
import fc from 'fast-check'
import { inboundRow } from '../../src/journal/inbound-row.js'
import { eventOf } from '../../src/journal/mapping.js'
import { messageStatus, readReceipt } from '../../src/journal/receipts.js'
import { JournalClock, statusRow, type MessageRow } from '../../src/journal/row.js'
import { chatOf, laneOf, readStanza, type Stanza } from '../../src/journal/stanza.js'

const ME = { id: '972500000001:3@s.whatsapp.net', lid: '9972500000001:3@lid' }
const encoded = (message: proto.IMessage): Uint8Array => proto.Message.encode(message).finish()
const stanza = (attrs: Record<string, string>, at = 5_000): Stanza => {
  const read = readStanza({ tag: 'message', attrs: { id: 'A1', t: '4', ...attrs } }, ME, at)
  assert.ok(read)
  return read
}

describe('the chat of a message', () => {
  it('names a person by LID and phone, whichever the message came by, without the device', () => {
    const byLid = stanza({ from: '111:7@lid', sender_pn: '972521@s.whatsapp.net' })
    assert.deepEqual(chatOf(byLid.attrs, byLid.fromMe), { kind: 'direct', jid: '111@lid', lid: '111@lid', phoneJid: '972521@s.whatsapp.net' })
    const byPhone = stanza({ from: '972521:7@s.whatsapp.net', sender_lid: '111@lid' })
    assert.deepEqual(chatOf(byPhone.attrs, byPhone.fromMe), { kind: 'direct', jid: '972521@s.whatsapp.net', lid: '111@lid', phoneJid: '972521@s.whatsapp.net' })
    assert.equal(laneOf(chatOf(byLid.attrs, false)), laneOf(chatOf(byPhone.attrs, false)))
  })
  it('of our own number is its recipient', () => {
    const ours = stanza({ from: '972500000001@s.whatsapp.net', recipient: '111@lid', recipient_pn: '972521@s.whatsapp.net' })
    assert.equal(ours.fromMe, true)
    assert.deepEqual(chatOf(ours.attrs, true), { kind: 'direct', jid: '111@lid', lid: '111@lid', phoneJid: '972521@s.whatsapp.net' })
  })
  it('of one name only has just that one', () => {
    const { attrs } = stanza({ from: '972521@s.whatsapp.net' })
    assert.deepEqual(chatOf(attrs, false), { kind: 'direct', jid: '972521@s.whatsapp.net', phoneJid: '972521@s.whatsapp.net' })
  })
  it('of a hosted device is its person\'s', () => {
    const { attrs } = stanza({ from: '972521:99@hosted' })
    assert.equal(chatOf(attrs, false).jid, '972521@s.whatsapp.net')
  })
  it('has its kind from its address', () => {
    const kind = (from: string): string => chatOf(stanza({ from, participant: '111@lid' }).attrs, false).kind
    assert.equal(kind('120363@g.us'), 'group')
    assert.equal(kind('status@broadcast'), 'status')
    assert.equal(kind('123@broadcast'), 'broadcast')
    assert.equal(kind('123@newsletter'), 'newsletter')
  })
  it('is unknown for a stanza that Baileys refuses as well', () => {
    assert.equal(readStanza({ tag: 'message', attrs: { id: 'A', from: '111@lid', recipient: '222@lid' } }, ME, 1), undefined)
    assert.equal(readStanza({ tag: 'message', attrs: { id: 'A' } }, ME, 1), undefined)
  })
})

describe('a journal row', () => {
  it('is not made for peer traffic, whatever it holds', () => {
    assert.equal(inboundRow(stanza({ from: ME.id, category: 'peer' }), encoded({ conversation: 'x' })), undefined)
  })
  it('never fails the ratchet because of its size', () => {
    const row = inboundRow(stanza({ from: '111@lid' }), encoded({ extendedTextMessage: { text: 'x', jpegThumbnail: new Uint8Array(301 * 1024) } }))
    assert.equal(row?.plaintext, undefined)
    const event = eventOf('t', row as MessageRow)
    assert.ok(event.type === 'message.received')
    assert.deepEqual(event.content, { kind: 'unsupported', what: 'tooLarge' })
  })
  it('gives the same event before and after a restart', () => {
    const row = inboundRow(stanza({ from: '111@lid', sender_pn: '972521@s.whatsapp.net', notify: 'דנה', offline: '0' }), encoded({ conversation: 'hi' }))
    assert.ok(row)
    const stored = JSON.parse(JSON.stringify({ ...row, plaintext: undefined })) as MessageRow
    assert.deepEqual(eventOf('t', { ...stored, plaintext: row.plaintext ?? new Uint8Array() }), eventOf('t', row))
    assert.deepEqual(eventOf('t', row), {
      version: 1, type: 'message.received', tenantId: 't', correlationId: 'A1', messageId: 'A1', fromMe: false, senderName: 'דנה',
      chat: { kind: 'direct', jid: '111@lid', lid: '111@lid', phoneJid: '972521@s.whatsapp.net' },
      sentAt: 4_000, receivedAt: 5_000, backlog: true, content: { kind: 'text', text: 'hi' },
    })
  })
  it('has a key that rises with every row, whatever the clock does', () => {
    fc.assert(fc.property(fc.array(fc.nat({ max: 10_000 }), { maxLength: 50 }), times => {
      const clock = new JournalClock(() => times.shift() ?? 0)
      const stamps = Array.from({ length: times.length }, () => clock.next())
      assert.deepEqual(stamps, [...new Set(stamps)].sort((a, b) => a - b))
    }))
  })
  it('continues after what an earlier owner wrote with a faster clock', () => {
    const clock = new JournalClock(() => 100)
    clock.continueAfter('000000000000500#X')
    assert.equal(clock.next(), 501)
  })
})

describe('a receipt', () => {
  const receipt = (attrs: Record<string, string>, items: readonly string[] = []): ReturnType<typeof readReceipt> => readReceipt({
    tag: 'receipt', attrs: { id: 'A', from: '111@lid', t: '9', ...attrs },
    ...(items.length === 0 ? {} : { content: [{ tag: 'list', attrs: {}, content: items.map(id => ({ tag: 'item', attrs: { id } })) }] }),
  }, ME, 1)

  it('says delivered or read, for each of its messages', () => {
    assert.deepEqual(receipt({}), { status: 'delivered', messageIds: ['A'], from: '111@lid', at: 9_000 })
    assert.deepEqual(receipt({ type: 'read' }, ['B', 'C'])?.messageIds, ['A', 'B', 'C'])
    assert.equal(receipt({ type: 'played' })?.status, 'read')
  })
  it('of our own devices, or with another purpose, is no news', () => {
    for (const type of ['retry', 'sender', 'read-self', 'hist_sync', 'peer_msg']) assert.equal(receipt({ type }), undefined)
    assert.equal(receipt({ from: '972500000001:9@s.whatsapp.net' }), undefined)
    assert.equal(receipt({ from: '9972500000001@lid' }), undefined)
  })
  it('becomes an event in the chat to which we wrote', () => {
    const sent = { messageId: 'A', chatJid: '972521@s.whatsapp.net', correlationId: 'c', content: new Uint8Array(), createdAt: 1 }
    const event = messageStatus('t', sent, 'read', 9, '111:2@lid')
    assert.deepEqual(event.chat, { kind: 'direct', jid: '972521@s.whatsapp.net', lid: '111@lid', phoneJid: '972521@s.whatsapp.net' })
    assert.equal(statusRow(event, 7).sk, '000000000000007#A')
  })
})
