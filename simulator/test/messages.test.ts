import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addressingOf } from '../src/jids.js'
import { ConflictError } from '../src/index.js'
import { eventually } from './support/eventually.js'
import { wordsOf } from './support/gateway.js'
import { scene } from './support/scene.js'

describe('Messages from customers', () => {
  for (const addressing of ['lid', 'phone'] as const) {
    it(`reach Baileys when addressed by ${addressing}, first and later ones`, async t => {
      const { business, customer, gateway } = await scene(t, { customer: { addressing } })

      const id = await customer.say(business, 'one')
      await customer.say(business, 'two')

      const { message, type } = await gateway.hears('one')
      assert.equal(type, 'notify')
      assert.equal(message.key.id, id)
      assert.equal(message.key.remoteJid, customer.jid(addressing))
      assert.equal(message.key.remoteJidAlt, customer.jid(addressing === 'lid' ? 'phone' : 'lid'))
      assert.equal(message.pushName, 'Dana')
      await gateway.hears('two')
      await eventually('receipts for both', () => customer.receipts.total === 2)
    })
  }

  it('wait for a device that is away and come in order, as a backlog', async t => {
    const { business, customer, gateway } = await scene(t)
    await gateway.stop()
    await eventually('the server to notice', () => !business.connected)
    await customer.say(business, 'one')
    await customer.say(business, 'two')

    await gateway.open()

    assert.equal((await gateway.hears('two')).type, 'append')
    assert.deepEqual(gateway.received.filter(({ message }) => wordsOf(message)).map(({ message }) => wordsOf(message)), ['one', 'two'])
  })

  it('come again when the connection broke before the receipt', async t => {
    const { business, customer, gateway, simulator } = await scene(t)
    await customer.say(business, 'first')
    await gateway.hears('first')
    await eventually('its receipt', () => business.devices.get(1)?.unconfirmed === 0)
    simulator.setFaults({ ignore: ['receipt'] })
    await customer.say(business, 'second')
    await gateway.hears('second')
    business.disconnect('tcp')
    await gateway.closed()
    simulator.clearFaults()
    assert.equal(business.devices.get(1)?.waiting, 1)

    await gateway.open()

    await eventually('the second delivery', () => business.counts.redelivered === 1)
    // Baileys decrypted it before: it refuses the same ciphertext, and the server gives it up.
    await eventually('the refusal', () => business.counts.refused === 1)
    assert.equal(business.devices.get(1)?.unconfirmed, 0)
  })

  it('cannot be said to a business without a linked device', async t => {
    const { business, customer, gateway } = await scene(t, { paired: false })
    gateway.connect()
    assert.throws(() => customer.say(business, 'hi'), ConflictError)
  })

  it('in groups, as status and in newsletters surface, too', async t => {
    const { business, customer, gateway } = await scene(t)

    await customer.sayInGroup(business, '120363000000000001@g.us', 'in the group')
    await customer.postStatus(business, 'my story')
    business.showNewsletterPost('120363000000000002@newsletter', 'news')

    const group = (await gateway.hears('in the group')).message.key
    assert.equal(group.remoteJid, '120363000000000001@g.us')
    assert.equal(group.participant, customer.lidJid)
    assert.equal((await gateway.hears('my story')).message.key.remoteJid, 'status@broadcast')
    assert.equal((await gateway.hears('news')).message.key.remoteJid, '120363000000000002@newsletter')
    await eventually('all to be confirmed', () => business.devices.get(1)?.unconfirmed === 0)
  })

  it('carry typing and calls beside them', async t => {
    const { business, customer, gateway } = await scene(t)
    const seen: string[] = []
    gateway.socket.ev.on('presence.update', ({ id }) => seen.push(`typing ${id}`))
    gateway.socket.ev.on('call', calls => seen.push(...calls.map(({ status }) => status)))
    customer.type(business)
    customer.call(business)
    await eventually('both', () => seen.includes(`typing ${customer.lidJid}`) && seen.includes('offer'))
  })
})

describe('Messages to customers', () => {
  for (const addressing of ['lid', 'phone'] as const) {
    it(`arrive when sent cold by ${addressing}, and are told to the owner's phone`, async t => {
      const { business, customer, gateway } = await scene(t)

      const id = await gateway.say(customer.jid(addressing), 'hello')

      const [message] = await customer.inbox.waitAfter(0, 30_000)
      assert.ok(message)
      assert.deepEqual({ ...message, at: 0 }, { index: 1, id, from: business.phone, device: 1, text: 'hello', content: { kind: 'text', text: 'hello' }, at: 0 })
      const [copy] = await business.sentCopies.waitAfter(0, 30_000)
      assert.equal(copy?.text, 'hello')
      assert.equal(addressingOf(copy.to ?? ''), addressing)
      await eventually('the delivery receipt', () => gateway.statusesOf(id).includes(3))
    })

    it(`are all decrypted at the first try in a conversation by ${addressing}`, async t => {
      const { business, customer, gateway } = await scene(t, { customer: { addressing } })
      for (let turn = 1; turn <= 10; turn++) {
        await customer.say(business, `question ${turn}`)
        const { message } = await gateway.hears(`question ${turn}`)
        await gateway.say(message.key.remoteJid ?? '', `answer ${turn}`)
      }
      await eventually('ten answers', () => customer.inbox.total === 10)
      assert.equal(customer.undecryptable, 0)
      assert.equal(business.undecryptable, 0)
    })
  }

  it('are all decrypted at the first try when answers cross bursts of many customers', async t => {
    const { simulator, business, gateway } = await scene(t)
    const customers = [1, 2, 3, 4].map(n => simulator.addCustomer(
      { phone: `97253000000${n}` }, { addressing: n % 2 === 0 ? 'lid' : 'phone' }))
    gateway.socket.ev.on('messages.upsert', ({ messages }) => {
      for (const message of messages) {
        if (message.key.fromMe !== true) void gateway.say(message.key.remoteJid ?? '', `re: ${wordsOf(message) ?? ''}`)
      }
    })
    await Promise.all(customers.flatMap(customer =>
      Array.from({ length: 20 }, (_, n) => customer.say(business, `question ${n}`))))
    await eventually('all answers', () => customers.every(({ inbox }) => inbox.total === 20))
    assert.deepEqual(customers.map(({ undecryptable }) => undecryptable), [0, 0, 0, 0])
    assert.deepEqual(customers.map(({ resent }) => resent), [0, 0, 0, 0])
  })

  it('show as read when the customer reads them', async t => {
    const { customer, gateway } = await scene(t)
    const id = await gateway.say(customer.lidJid, 'hello')
    await customer.inbox.waitAfter(0, 30_000)
    assert.equal(gateway.statusesOf(id).includes(4), false)

    customer.read(id)

    await eventually('the read receipt', () => gateway.statusesOf(id).includes(4))
  })

  it('show as read at once for a customer who always looks', async t => {
    const { customer, gateway } = await scene(t, { customer: { sendsReadReceipts: true } })
    const id = await gateway.say(customer.lidJid, 'hello')
    await eventually('the read receipt', () => gateway.statusesOf(id).includes(4))
  })

  it('are shown once when the same id comes twice', async t => {
    const { business, customer, gateway } = await scene(t)
    await gateway.say(customer.lidJid, 'hello', '3EB0AAAAAAAAAAAAAAAA')
    await gateway.say(customer.lidJid, 'hello', '3EB0AAAAAAAAAAAAAAAA')
    await eventually('both copies', () => customer.copies.get('3EB0AAAAAAAAAAAAAAAA') === 2)
    assert.equal(customer.inbox.total, 1)
    assert.equal(business.sentCopies.total, 1)
    assert.equal(business.counts.sent, 2)
  })

  it('wait for a phone that is switched off', async t => {
    const { customer, gateway } = await scene(t, { customer: { offline: true } })
    await gateway.say(customer.lidJid, 'one')
    await gateway.say(customer.lidJid, 'two')
    await eventually('both at the server', () => customer.waiting === 2)
    assert.equal(customer.inbox.total, 0)

    await customer.change({ offline: false })

    assert.deepEqual(customer.inbox.after().map(({ text }) => text), ['one', 'two'])
  })

  it('are preceded by typing', async t => {
    const { customer, gateway } = await scene(t)
    await gateway.socket.sendPresenceUpdate('composing', customer.lidJid)
    await eventually('typing', () => customer.typing.after().at(0)?.state === 'composing')
  })
})

describe('The owner\'s phone', () => {
  for (const addressing of ['lid', 'phone'] as const) {
    it(`answers a customer by ${addressing}: Baileys sees it as its own, the customer gets it`, async t => {
      const { business, customer, gateway } = await scene(t)

      const id = await business.say(customer, 'I am on it', { addressing })

      const { message } = await gateway.hears('I am on it')
      assert.equal(message.key.fromMe, true)
      assert.equal(message.key.remoteJid, customer.jid(addressing))
      assert.equal(message.key.id, id)
      assert.deepEqual(customer.inbox.after().map(({ text, device }) => [text, device]), [['I am on it', 0]])
      await eventually('the receipt', () => business.devices.get(1)?.unconfirmed === 0)
    })
  }
})
