import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { ContactsUpdated } from '@kesher/contracts'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, TENANT, type Api, type Scene } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

async function paired(t: TestContext, prepare: (scene: Scene) => Promise<void> = () => Promise.resolve()): Promise<Scene & { readonly api: Api }> {
  const scene = await createScene(t, emulator)
  await prepare(scene)
  const api = await scene.start()
  await scene.pair(api)
  return Object.assign(scene, { api })
}

const told = ({ webhook }: Scene): ContactsUpdated[] => webhook.events.filter(event => event.type === 'contacts.updated')

/** Whom the webhook takes for saved, if it does as the contract says. */
function saved(scene: Scene): Map<string, boolean> {
  const newest = told(scene).at(-1)
  const events = told(scene).filter(({ bookAt }) => bookAt === newest?.bookAt).sort((a, b) => a.revision - b.revision)
  return new Map(events.flatMap(({ contacts }) => contacts.map(contact => [contact.jid, contact.saved])))
}

const friends = (count: number): { phoneJid: string; name: string }[] =>
  Array.from({ length: count }, (_, at) => ({ phoneJid: `9725400${String(at).padStart(5, '0')}@s.whatsapp.net`, name: `Friend ${at}` }))

describe('a contact of the phone', () => {
  it('is told when it is saved, renamed and removed, by both addresses and without a name', async t => {
    const scene = await paired(t)
    const { business, customer } = scene
    const { phoneJid, lidJid } = customer
    await business.saveContact(customer, 'Dana Cohen')
    const first = await eventually('the contact', () => told(scene)[0])
    assert.deepEqual(first.contacts, [{ jid: phoneJid, alias: lidJid, saved: true }])
    assert.equal(first.complete, true)
    await business.saveContact(customer, 'Dana from work')
    await eventually('the change', () => told(scene).length === 2)
    await business.removeContact(customer)
    await eventually('the removal', () => saved(scene).get(phoneJid) === false)
    assert.deepEqual(told(scene).map(({ revision, bookAt }) => [revision, bookAt]), [1, 2, 3].map(revision => [revision, first.bookAt]))
    assert.doesNotMatch(JSON.stringify(told(scene)), /Dana/)
    await eventually('an empty journal', async () => (await scene.table.rows(`JOURNAL#${TENANT}`)).length === 0)
  })

  it('appears in no line of the log, neither by name nor by number', async t => {
    const scene = await paired(t)
    await scene.business.saveContact(scene.customer, 'Dana Cohen')
    await eventually('the contact', () => told(scene).length === 1)
    const lines = scene.api.lines.join('\n')
    for (const secret of ['Dana Cohen', scene.customer.phone, scene.customer.lid]) assert.ok(!lines.includes(secret))
    assert.match(lines, /the phone's contacts were read/)
  })

  it('is told although it was saved while the gateway was down, and a removal likewise', async t => {
    const scene = await paired(t)
    const other = scene.simulator.addCustomer({ phone: '972529999999' })
    await scene.business.saveContact(scene.customer)
    await eventually('the contact', () => told(scene).length === 1)
    await scene.api.stop()
    await scene.business.saveContact(other)
    await scene.business.removeContact(scene.customer)
    await scene.start()
    await eventually('both', () => saved(scene).get(other.phoneJid) === true && saved(scene).get(scene.customer.phoneJid) === false)
  })
})

describe('a whole address book', () => {
  it('is told in parts, of which only the last says that it is complete', async t => {
    const people = friends(450)
    const scene = await paired(t, ({ business }) => business.addressBook.restore(people))
    await eventually('all of it', () => told(scene).some(({ complete }) => complete))
    assert.deepEqual(told(scene).map(({ contacts, complete }) => [contacts.length, complete]), [[200, false], [200, false], [50, true]])
    assert.deepEqual([...saved(scene).keys()].sort(), people.map(({ phoneJid }) => phoneJid).sort())
  })

  it('holds up no customer: a message passes it while the webhook does not take it', async t => {
    const scene = await paired(t, ({ business }) => business.addressBook.restore(friends(450)))
    scene.webhook.answer = event => event.type === 'contacts.updated' ? 503 : 200
    await scene.api.canSend()
    await scene.customer.say(scene.business, 'hello')
    await eventually('the message', () => scene.webhook.texts().includes('hello'))
    scene.webhook.answer = () => 200
    await eventually('the book', () => told(scene).some(({ complete }) => complete))
  })

  it('is read again from its start when the process dies before all of it was stored', async t => {
    const scene = await createScene(t, emulator)
    await scene.business.addressBook.restore(friends(300))
    const process = await scene.spawn()
    scene.webhook.answer = event => event.type === 'contacts.updated' ? 503 : 200
    let killed = false
    scene.aws.watch = async ({ operation, body }) => {
      if (operation !== 'TransactWriteItems' || !body.includes('address-book#')) return
      await process.process.kill('SIGKILL')
      killed = true
    }
    scene.business.scan((await process.qr()).qr)
    await eventually('the kill', () => killed)
    scene.aws.watch = () => undefined
    scene.webhook.answer = () => 200
    await scene.start()
    await eventually('the book', () => saved(scene).size === 300 && told(scene).some(({ complete }) => complete))
  })

  it('is told of a number that was linked before anybody followed it: Baileys itself would never mention it again', async t => {
    const scene = await paired(t, ({ business }) => business.addressBook.restore(friends(3)))
    const first = await eventually('the book', () => told(scene)[0])
    await scene.api.stop()
    const rows = await scene.table.rows(`AUTH#${TENANT}`)
    assert.ok(rows.some(({ sk }) => sk === 'app-state-sync-version#critical_unblock_low'))
    await scene.table.remove({ pk: `AUTH#${TENANT}`, sk: 'address-book#contacts' })
    await scene.start()
    const second = await eventually('it again', () => told(scene)[1])
    assert.ok(second.bookAt > first.bookAt)
    assert.deepEqual(second.contacts, first.contacts)
  })
})
