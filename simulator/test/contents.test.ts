import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type WAMessage, getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys'
import type { Content } from '../src/index.js'
import { eventually } from './support/eventually.js'
import type { Gateway } from './support/gateway.js'
import { type Scene, scene } from './support/scene.js'

const arrival = (gateway: Gateway, id: string): Promise<WAMessage> =>
  eventually(`message ${id}`, () => gateway.received.find(({ message }) => message.key.id === id)?.message)

/** Who sends: a customer, or the owner on the business' own phone. */
const SENDERS = {
  'A customer': ({ customer, business }: Scene, content: Content) => customer.sendContent(business, content),
  'The owner\'s phone': ({ customer, business }: Scene, content: Content) => business.sendContent(customer, content),
}

const { Type } = proto.Message.ProtocolMessage

const EXPECTED: readonly (readonly [string, Content, (message: proto.IMessage) => void])[] = [
  ['a location', { kind: 'location', latitude: 32.08, longitude: 34.78, name: 'Studio' }, ({ locationMessage }) => {
    assert.equal(locationMessage?.degreesLatitude, 32.08)
    assert.equal(locationMessage.name, 'Studio')
  }],
  ['a live location', { kind: 'location', latitude: 1, longitude: 2, live: true }, ({ liveLocationMessage }) => {
    assert.equal(liveLocationMessage?.degreesLongitude, 2)
  }],
  ['a contact', { kind: 'contacts', contacts: [{ name: 'Noa', phone: '972533333333' }] }, ({ contactMessage }) => {
    assert.match(contactMessage?.vcard ?? '', /waid=972533333333/)
  }],
  ['contacts', { kind: 'contacts', contacts: [{ name: 'Noa', phone: '972533333333' }, { name: 'Gil', phone: '972534444444' }] }, message => {
    assert.equal(message.contactsArrayMessage?.contacts?.length, 2)
  }],
  ['a tap on a button', { kind: 'button-reply', id: 'yes', text: 'Yes' }, ({ buttonsResponseMessage }) => {
    assert.equal(buttonsResponseMessage?.selectedButtonId, 'yes')
  }],
  ['a tap on a template\'s button', { kind: 'button-reply', id: 'yes', text: 'Yes', style: 'template' }, ({ templateButtonReplyMessage }) => {
    assert.equal(templateButtonReplyMessage?.selectedId, 'yes')
  }],
  ['a tap on an interactive button', { kind: 'button-reply', id: 'yes', text: 'Yes', style: 'interactive' }, ({ interactiveResponseMessage }) => {
    assert.equal(interactiveResponseMessage?.nativeFlowResponseMessage?.paramsJson, '{"id":"yes"}')
  }],
  ['a choice from a list', { kind: 'list-reply', id: 'row-2', title: 'Haircut' }, ({ listResponseMessage }) => {
    assert.equal(listResponseMessage?.singleSelectReply?.selectedRowId, 'row-2')
  }],
  ['a poll', { kind: 'poll', question: 'When?', options: ['Mon', 'Tue'] }, ({ pollCreationMessageV3 }) => {
    assert.deepEqual(pollCreationMessageV3?.options?.map(({ optionName }) => optionName), ['Mon', 'Tue'])
  }],
  ['a timer', { kind: 'timer', seconds: 86_400 }, ({ protocolMessage }) => {
    assert.deepEqual([protocolMessage?.type, protocolMessage?.ephemeralExpiration], [Type.EPHEMERAL_SETTING, 86_400])
  }],
  ['anything as a proto', { kind: 'proto', message: { groupInviteMessage: { groupJid: '1@g.us', inviteCode: 'abc' } } }, message => {
    assert.equal(message.groupInviteMessage?.inviteCode, 'abc')
  }],
]

for (const [who, send] of Object.entries(SENDERS)) {
  describe(`${who} sends`, () => {
    it('every kind of content, which Baileys understands', async t => {
      const all = await scene(t)
      for (const [what, content, check] of EXPECTED) {
        const { key, message } = await arrival(all.gateway, await send(all, content))
        assert.equal(key.fromMe, who !== 'A customer', what)
        check(message ?? {})
      }
      assert.equal(all.customer.inbox.total, who === 'A customer' ? 0 : EXPECTED.length)
    })

    it('a kind that nobody knows: Baileys sees a message without content', async t => {
      const all = await scene(t)
      const { message, messageStubType } = await arrival(all.gateway, await send(all, { kind: 'unknown' }))
      assert.equal(getContentType(message ?? undefined), undefined)
      assert.equal(messageStubType ?? 0, 0)
    })

    it('reactions, edits and deletions of messages of both sides', async t => {
      const all = await scene(t)
      const { business, customer, gateway } = all
      const theirs = await customer.say(business, 'from the customer')
      await gateway.hears('from the customer')
      const ours = await gateway.say(customer.lidJid, 'from the gateway')
      await eventually('both phones to know it', () => customer.inbox.total === 1 && business.sentCopies.total === 1)

      for (const [target, fromMe] of [[theirs, false], [ours, true]] as const) {
        const { message } = await arrival(gateway, await send(all, { kind: 'reaction', target, emoji: '👍' }))
        assert.equal(message?.reactionMessage?.text, '👍')
        assert.deepEqual([message.reactionMessage.key?.id, message.reactionMessage.key?.fromMe], [target, fromMe])
      }
      const mine = who === 'A customer' ? theirs : ours
      await send(all, { kind: 'edit', target: mine, text: 'better words' })
      const edit = await eventually('the edit', () => gateway.received.map(({ message }) => message.message?.protocolMessage)
        .find(protocol => protocol?.type === Type.MESSAGE_EDIT))
      assert.deepEqual([edit.key?.id, edit.editedMessage?.conversation], [mine, 'better words'])
      await send(all, { kind: 'delete', target: mine })
      const deletion = await eventually('the deletion', () => gateway.received.map(({ message }) => message.message?.protocolMessage)
        .find(protocol => protocol?.type === Type.REVOKE))
      assert.equal(deletion.key?.id, mine)
    })
  })
}

describe('A customer\'s message', () => {
  it('quotes what it answers, also a message of the business', async t => {
    const { business, customer, gateway } = await scene(t)
    const ours = await gateway.say(customer.lidJid, 'monday or tuesday?')
    await customer.inbox.waitAfter(0, 30_000)
    const id = await customer.sendContent(business, { kind: 'text', text: 'the second' }, { quote: { id: ours } })
    const context = (await arrival(gateway, id)).message?.extendedTextMessage?.contextInfo
    assert.deepEqual([context?.stanzaId, context?.participant], [ours, business.lidJid])
    assert.equal(context?.quotedMessage?.extendedTextMessage?.text ?? context?.quotedMessage?.conversation, 'monday or tuesday?')

    const unknown = await customer.sendContent(business, { kind: 'image' }, { quote: { id: 'OLD', text: 'long ago' } })
    const image = (await arrival(gateway, unknown)).message?.imageMessage
    assert.equal(image?.contextInfo?.quotedMessage?.conversation, 'long ago')
  })

  it('disappears, can be seen once, is forwarded, or comes by an advertisement', async t => {
    const { business, customer, gateway } = await scene(t)
    const text: Content = { kind: 'text', text: 'hi' }
    const contextOf = async (extras: Parameters<typeof customer.sendContent>[2]): Promise<proto.IContextInfo | null | undefined> =>
      (await arrival(gateway, await customer.sendContent(business, text, extras))).message?.extendedTextMessage?.contextInfo
    assert.equal((await contextOf({ expiration: 604_800 }))?.expiration, 604_800)
    assert.equal((await contextOf({ forwarded: true }))?.isForwarded, true)
    assert.equal((await contextOf({ ad: { title: 'Haircuts', url: 'https://example.org', id: '7' } }))?.externalAdReply?.sourceId, '7')
    const once = await arrival(gateway, await customer.sendContent(business, { kind: 'image' }, { viewOnce: true }))
    assert.equal(once.message?.viewOnceMessageV2?.message?.imageMessage?.viewOnce, true)
    assert.equal(getContentType(normalizeMessageContent(once.message)), 'imageMessage')
  })

  it('that is corrupt is sent again when Baileys asks, with all that it carried', async t => {
    const { business, customer, gateway } = await scene(t)
    const id = await customer.sendContent(business, { kind: 'image', caption: 'look' }, { corrupt: true })
    const message = await eventually('the message', () =>
      gateway.received.find(({ message }) => message.key.id === id && message.message?.imageMessage)?.message)
    assert.equal(message.message?.imageMessage?.caption, 'look')
    assert.equal(customer.resent, 1)
  })
})

describe('A customer\'s screen', () => {
  it('shows every kind that Baileys sends', async t => {
    const { business, customer, gateway } = await scene(t)
    const asked = await customer.say(business, 'where are you?')
    const { message } = await gateway.hears('where are you?')
    const { socket } = gateway
    await socket.sendMessage(customer.lidJid, { text: 'here' }, { quoted: message, ephemeralExpiration: 86_400 })
    await socket.sendMessage(customer.lidJid, { location: { degreesLatitude: 32, degreesLongitude: 34, name: 'Studio' } })
    await socket.sendMessage(customer.lidJid, { contacts: { contacts: [{ displayName: 'Noa', vcard: 'BEGIN:VCARD' }] } })
    await socket.sendMessage(customer.lidJid, { react: { text: '👍', key: message.key } })
    const shown = await eventually('all', () => customer.inbox.total === 4 && customer.inbox.after().map(({ content }) => content))
    assert.deepEqual(shown, [
      { kind: 'text', text: 'here', quoted: asked, expiration: 86_400 },
      { kind: 'location', latitude: 32, longitude: 34, name: 'Studio' },
      { kind: 'contacts', contacts: [{ name: 'Noa', vcard: 'BEGIN:VCARD' }] },
      { kind: 'reaction', target: asked, emoji: '👍' },
    ])
  })
})
