import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import type { MessageReceived } from '@kesher/contracts'
import { proto } from '@whiskeysockets/baileys'
import fc from 'fast-check'
import Fastify from 'fastify'
import { contentOf, type Content } from '../../src/journal/content.js'
import { eventOf } from '../../src/journal/mapping.js'
import { fileOf } from '../../src/journal/media-file.js'
import { inboundRow, undecryptableRow } from '../../src/journal/inbound-row.js'
import type { Stanza } from '../../src/journal/stanza.js'

const { MESSAGE_EDIT, REVOKE, HISTORY_SYNC_NOTIFICATION, APP_STATE_SYNC_KEY_SHARE, EPHEMERAL_SETTING } = proto.Message.ProtocolMessage.Type
const FIRST = { version: 1, type: 'message.received' }

const encoded = (message: proto.IMessage): Uint8Array => proto.Message.encode(message).finish()
const content = (message: proto.IMessage, fromMe = false): Content | undefined => contentOf(proto.Message.decode(encoded(message)), fromMe)
const stanza = (attrs: Readonly<Record<string, string>> = {}, fromMe = false): Stanza =>
  ({ attrs: { id: 'A1', from: '111@lid', sender_pn: '972521@s.whatsapp.net', t: '4', ...attrs }, fromMe, backlog: false, receivedAt: 5_000 })

function event(message: proto.IMessage, attrs: Readonly<Record<string, string>> = {}): MessageReceived {
  const row = inboundRow(stanza(attrs), encoded(message))
  assert.ok(row)
  const found = eventOf('t', row)
  assert.ok(found.type === 'message.received')
  return found
}

describe('the content of a message', () => {
  it('is its text, in whatever it is wrapped', () => {
    const inner = { conversation: 'שלום' }
    const wrapped: proto.IMessage[] = [
      inner, { extendedTextMessage: { text: 'שלום' } }, { ephemeralMessage: { message: inner } }, { viewOnceMessageV2: { message: inner } },
      { botInvokeMessage: { message: { ephemeralMessage: { message: inner } } } }, { deviceSentMessage: { destinationJid: 'x@lid', message: inner } },
      { deviceSentMessage: { message: { ephemeralMessage: { message: inner } } } },
    ]
    for (const message of wrapped) assert.deepEqual(content(message), { kind: 'text', text: 'שלום' })
  })

  it('of a file is what its sender says of it, without a way to use the name as a path', () => {
    assert.deepEqual(
      content({ documentWithCaptionMessage: { message: { documentMessage: { mimetype: 'application/pdf', fileName: '../../etc/pass\u202Ewd', caption: 'here', fileLength: 12 } } } }),
      { kind: 'document', mediaType: 'application/pdf', bytes: 12, caption: 'here', fileName: '.._.._etc_passwd' },
    )
    assert.deepEqual(content({ audioMessage: { mimetype: 'audio/ogg; codecs=opus', seconds: 7, ptt: true } }), { kind: 'audio', mediaType: 'audio/ogg; codecs=opus', seconds: 7, voice: true })
    assert.deepEqual(content({ viewOnceMessageV2: { message: { imageMessage: { mimetype: 'image/jpeg' } } } }), { kind: 'image', mediaType: 'image/jpeg' })
    assert.equal(content({ ptvMessage: { mimetype: 'video/mp4' } })?.kind, 'video')
    assert.equal(content({ lottieStickerMessage: { message: { stickerMessage: { mimetype: 'application/was' } } } })?.kind, 'sticker')
    for (const mimetype of ['text/html\r\nx: y', '', '../x', 'a'.repeat(300)]) {
      assert.deepEqual(content({ imageMessage: { mimetype } }), { kind: 'image', mediaType: 'application/octet-stream' })
    }
  })

  it('of a place, of cards, of a choice is that', () => {
    assert.deepEqual(content({ locationMessage: { degreesLatitude: 32.1, degreesLongitude: 34.8, name: 'Studio', address: 'Herzl 1' } }), { kind: 'location', latitude: 32.1, longitude: 34.8, name: 'Studio', address: 'Herzl 1' })
    assert.deepEqual(content({ liveLocationMessage: { degreesLatitude: 1, degreesLongitude: 2 } }), { kind: 'location', latitude: 1, longitude: 2 })
    assert.deepEqual(content({ locationMessage: { degreesLatitude: 91, degreesLongitude: Number.NaN } }), { kind: 'unsupported', what: 'locationMessage' })
    const vcard = 'BEGIN:VCARD\r\nFN:Noa\r\nPHOTO;ENCODING=b:AAAA\r\n BBBB\r\nTEL:1\r\nEND:VCARD'
    assert.deepEqual(content({ contactMessage: { displayName: 'Noa', vcard } }), { kind: 'contacts', contacts: [{ name: 'Noa', vcard: 'BEGIN:VCARD\r\nFN:Noa\r\nTEL:1\r\nEND:VCARD' }] })
    const many = content({ contactsArrayMessage: { contacts: Array.from({ length: 30 }, (_, i) => ({ displayName: `c${i}`, vcard: 'v' })) } })
    assert.ok(many?.kind === 'contacts')
    assert.deepEqual([many.contacts.length, (many.contacts as readonly { name: string }[])[19]?.name], [20, '... and 11 more'])
    const chosen = { kind: 'choice', choiceId: 'b1', text: 'Yes' }
    assert.deepEqual(content({ buttonsResponseMessage: { selectedButtonId: 'b1', selectedDisplayText: 'Yes' } }), chosen)
    assert.deepEqual(content({ templateButtonReplyMessage: { selectedId: 'b1', selectedDisplayText: 'Yes' } }), chosen)
    assert.deepEqual(content({ listResponseMessage: { title: 'Yes', singleSelectReply: { selectedRowId: 'b1' } } }), chosen)
    assert.deepEqual(content({ interactiveResponseMessage: { body: { text: 'Yes' }, nativeFlowResponseMessage: { paramsJson: '{"id":"b1"}' } } }), chosen)
    assert.deepEqual(content({ interactiveResponseMessage: { body: { text: 'Yes' }, nativeFlowResponseMessage: { paramsJson: 'no json' } } }), { ...chosen, choiceId: '' })
  })

  it('of a reaction, an edit, a deletion names its message; who wrote that is said from our side', () => {
    const reaction = (fromMe: boolean): proto.IMessage => ({ reactionMessage: { text: '👍', key: { id: 'X', fromMe } } })
    assert.deepEqual(content(reaction(true)), { kind: 'reaction', targetId: 'X', targetFromMe: false, emoji: '👍' })
    assert.deepEqual(content(reaction(false)), { kind: 'reaction', targetId: 'X', targetFromMe: true, emoji: '👍' })
    assert.deepEqual(content(reaction(true), true), { kind: 'reaction', targetId: 'X', targetFromMe: true, emoji: '👍' })
    const edit = (editedMessage: proto.IMessage): proto.IMessage => ({ editedMessage: { message: { protocolMessage: { type: MESSAGE_EDIT, key: { id: 'X' }, editedMessage } } } })
    assert.deepEqual(content(edit({ conversation: 'new' })), { kind: 'edit', targetId: 'X', text: 'new' })
    assert.deepEqual(content(edit({ imageMessage: { caption: 'new' } })), { kind: 'edit', targetId: 'X', text: 'new' })
    assert.deepEqual(content(edit(edit({ conversation: 'nested' }))), { kind: 'unsupported', what: 'editedMessage' })
    assert.deepEqual(content({ protocolMessage: { type: REVOKE, key: { id: 'X' } } }), { kind: 'deletion', targetId: 'X' })
    assert.match((content({ protocolMessage: { type: REVOKE, key: { id: 'not an id \u0000' } } }) as { targetId: string }).targetId, /^hashed-[0-9a-f]{64}$/)
  })

  it('is named when it is not understood, also when this Baileys does not even know the name', () => {
    assert.deepEqual(content({ pollCreationMessageV3: { name: 'when?' }, messageContextInfo: {} }), { kind: 'unsupported', what: 'pollCreationMessageV3' })
    assert.deepEqual(content({ messageContextInfo: { messageSecret: new Uint8Array(32) } }), { kind: 'unsupported', what: 'unknown' })
    assert.deepEqual(content({}), { kind: 'unsupported', what: 'unknown' })
  })

  it('is nobody\'s business when it is WhatsApp\'s own', () => {
    for (const type of [HISTORY_SYNC_NOTIFICATION, APP_STATE_SYNC_KEY_SHARE, EPHEMERAL_SETTING]) assert.equal(content({ protocolMessage: { type } }), undefined)
    assert.equal(content({ senderKeyDistributionMessage: { groupId: 'x@g.us' }, messageContextInfo: {} }), undefined)
  })

  it('that is too long for the contract is said to be so', () => {
    assert.deepEqual(content({ conversation: 'x'.repeat(65_536) }), { kind: 'text', text: 'x'.repeat(65_536) })
    for (const text of ['x'.repeat(65_537), '\u0001'.repeat(65_000)]) assert.deepEqual(content({ conversation: text }), { kind: 'unsupported', what: 'tooLarge' })
  })
})

describe('an event', () => {
  it('says what its message answers, who wrote that, and the chat\'s timer', () => {
    const text = (contextInfo: proto.IContextInfo): MessageReceived => event({ ephemeralMessage: { message: { extendedTextMessage: { text: 'yes', contextInfo } } } })
    assert.deepEqual(text({ stanzaId: 'Q', participant: '972500000001:3@s.whatsapp.net', quotedMessage: { conversation: 'at ten?' }, expiration: 86_400 }).quoted, { messageId: 'Q', fromMe: true, text: 'at ten?' })
    assert.deepEqual(text({ stanzaId: 'Q', participant: '972521:7@s.whatsapp.net', quotedMessage: { imageMessage: {} } }).quoted, { messageId: 'Q', fromMe: false })
    assert.equal(text({ expiration: 86_400 }).disappearingSeconds, 86_400)
    assert.equal(text({ expiration: 0 }).disappearingSeconds, undefined)
    assert.equal(event({ conversation: 'plain' }).quoted, undefined)
  })

  it('of what could not be read has an id of its own, so that the message can still come; groups say nothing', () => {
    const row = undecryptableRow(stanza())
    assert.ok(row)
    const found = eventOf('t', row)
    assert.ok(found.type === 'message.received')
    assert.deepEqual([found.messageId, found.correlationId, found.content], ['A1.undecryptable', 'A1', { kind: 'unsupported', what: 'undecryptable' }])
    assert.equal(undecryptableRow(stanza({ category: 'peer' })), undefined)
    assert.equal(undecryptableRow(stanza({ from: '120@g.us', participant: '111@lid' })), undefined)
  })

  it('of a file that is not stored says so; and there is no file without its key', () => {
    assert.deepEqual(event({ imageMessage: { mimetype: 'image/png' } }).content, { kind: 'image', mediaType: 'image/png', missing: 'the file was not fetched' })
    assert.equal(fileOf({ imageMessage: { directPath: '/x' } }), undefined)
  })

  it('is what the contract allows, whatever a stranger puts into a message', async () => {
    const schema = createRequire(import.meta.url)('@kesher/contracts/schema.json') as { readonly $id: string }
    const http = Fastify({ bodyLimit: 2 ** 22, ajv: { customOptions: { discriminator: true, removeAdditional: false, coerceTypes: false } } })
    http.addSchema(schema)
    http.post('/', { schema: { body: { $ref: `${schema.$id}#/$defs/MessageReceived` } } }, () => ({}))
    await fc.assert(fc.asyncProperty(hostile, fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), async (message, id) => {
      const row = inboundRow(stanza({ id, notify: id.repeat(3) }), encoded(message))
      if (row === undefined) return
      const answer = await http.inject({ method: 'POST', url: '/', payload: { ...FIRST, ...eventOf('t', row) } })
      assert.equal(answer.statusCode, 200, answer.body)
    }), { numRuns: 150 })
    await http.close()
  })
})

const words = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constant('\ud83d'), fc.constant('long '.repeat(20_000)), fc.constant(''))
const number = fc.oneof(fc.integer({ min: -1, max: 2 ** 31 - 1 }), fc.constant(0), fc.constant(4_294_967_295))
const key = fc.record({ id: words, fromMe: fc.boolean(), remoteJid: words }, { requiredKeys: [] })
const contextInfo = fc.record({ stanzaId: words, participant: words, expiration: number, quotedMessage: fc.record({ conversation: words }) }, { requiredKeys: [] })
const file = fc.record({ mimetype: words, caption: words, fileName: words, fileLength: number, seconds: number, ptt: fc.boolean(), contextInfo }, { requiredKeys: [] })
const hostile: fc.Arbitrary<proto.IMessage> = fc.oneof(
  fc.record({ conversation: words }), fc.record({ extendedTextMessage: fc.record({ text: words, contextInfo }) }),
  fc.record({ imageMessage: file }), fc.record({ audioMessage: file }), fc.record({ documentMessage: file }),
  fc.record({ locationMessage: fc.record({ degreesLatitude: fc.double(), degreesLongitude: fc.double(), name: words, address: words }) }),
  fc.record({ contactsArrayMessage: fc.record({ contacts: fc.array(fc.record({ displayName: words, vcard: words }), { maxLength: 25 }) }) }),
  fc.record({ buttonsResponseMessage: fc.record({ selectedButtonId: words, selectedDisplayText: words, contextInfo }) }),
  fc.record({ reactionMessage: fc.record({ key, text: words }) }),
  fc.record({ protocolMessage: fc.record({ type: fc.constantFrom(MESSAGE_EDIT, REVOKE), key, editedMessage: fc.record({ conversation: words }) }) }),
)
