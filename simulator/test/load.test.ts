import assert from 'node:assert/strict'
import { type TestContext, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Business, ConflictError, type Customer, Load, type LoadChat, SimulatorError, everyPair, seeded, startControlApi } from '../src/index.js'
import { distances } from '../src/load/distances.js'
import { type Answer, call } from './support/call.js'
import { eventually } from './support/eventually.js'
import { Gateway, wordsOf } from './support/gateway.js'
import { type Scene, scene } from './support/scene.js'

interface Numbers extends Scene {
  readonly other: Business
  readonly otherGateway: Gateway
  readonly businesses: readonly Business[]
  readonly customers: readonly Customer[]
}

/** Two linked businesses and two customers; nothing is on its way. */
async function twoNumbers(t: TestContext): Promise<Numbers> {
  const at = await scene(t)
  const other = at.simulator.addBusiness({ phone: '972500000002', name: 'Garage' })
  const otherGateway = await new Gateway(at.simulator).pair(other)
  t.after(() => otherGateway.stop())
  const noam = at.simulator.addCustomer({ phone: '972522222222', name: 'Noam' })
  const businesses = [at.business, other]
  await eventually('silence', () => businesses.every(business => heldFor(business) === 0))
  return { ...at, other, otherGateway, businesses, customers: [at.customer, noam] }
}

const heldFor = ({ devices }: Business): number => [...devices.values()].reduce((sum, { waiting, unconfirmed }) => sum + waiting + unconfirmed, 0)

const writtenTo = (load: Load, to: Business): [string, string][] =>
  load.chats.filter(({ business }) => business === to).flatMap(({ written }) => [...written])

/** Message id -> text of what customers wrote, each as often as Baileys showed it. */
const heard = ({ received }: Gateway): [string, string][] => received.flatMap(({ message }) => {
  const { key: { id, fromMe } } = message
  const text = wordsOf(message)
  return fromMe !== true && typeof id === 'string' && typeof text === 'string' ? [[id, text]] : []
})

const sorted = (pairs: [string, string][]): [string, string][] => pairs.sort(([, a], [, b]) => a.localeCompare(b))

describe('Between two messages of a chat', () => {
  const take = (seed: number, count: number): number[] => {
    const all = distances(1_000, seeded(seed))
    return Array.from({ length: count }, () => all.next().value)
  }

  it('lies a distance that the seed gives', () => {
    assert.deepEqual(take(7, 100), take(7, 100))
    assert.notDeepEqual(take(7, 100), take(8, 100))
  })

  it('lies from a half to one and a half of the mean, but before the first any part of it', () => {
    const [first = NaN, ...others] = take(7, 10_000)
    assert.ok(first >= 0 && first < 1_000)
    assert.ok(others.every(ms => ms >= 500 && ms < 1_500))
    const mean = others.reduce((a, b) => a + b) / others.length
    assert.ok(Math.abs(mean - 1_000) < 20, String(mean))
  })
})

describe('A load', () => {
  it('has every customer write to every business, and notes what each wrote and what each phone shows', async t => {
    const { businesses, customers, business, other, customer, gateway, otherGateway } = await twoNumbers(t)
    const load = new Load(everyPair(businesses, customers), { everyMs: 60, seed: 1 })
    await eventually('three messages in each chat', () => load.chats.every(({ written }) => written.size >= 3))
    await gateway.say(customer.lidJid, 'from the studio')
    await otherGateway.say(customer.lidJid, 'from the garage')

    const atTheEnd = await load.stop()

    await eventually('all to be taken and shown', () => load.counts().held === 0 && load.counts().shown === 2)
    const counts = load.counts()
    assert.deepEqual(counts, { chats: 4, written: atTheEnd.written, withheld: 0, held: 0, shown: 2, failed: 0 })
    assert.equal(counts.written, load.chats.reduce((sum, { written }) => sum + written.size, 0))
    assert.deepEqual(sorted(heard(gateway)), sorted(writtenTo(load, business)))
    assert.deepEqual(sorted(heard(otherGateway)), sorted(writtenTo(load, other)))
    const textsIn = ({ shown }: LoadChat): (string | null)[] => shown.map(({ text }) => text)
    assert.deepEqual(load.chats.map(textsIn), [['from the studio'], [], ['from the garage'], []])
  })

  it('does not count what the phones showed before', async t => {
    const { business, customer, gateway } = await scene(t)
    await gateway.say(customer.lidJid, 'before')
    await customer.inbox.waitAfter(0, 30_000)
    const load = new Load([{ business, customer }], { everyMs: 60_000 })
    t.after(() => load.stop())
    assert.equal(load.counts().shown, 0)
  })

  it('lets so many messages and no more wait for a gateway that is away, and goes on for the others', async t => {
    const { businesses, customers, business, other, gateway } = await twoNumbers(t)
    await gateway.stop()
    await eventually('the end of the connection', () => !business.connected)
    const load = new Load(everyPair(businesses, customers), { everyMs: 5, seed: 1, mostHeld: 7 })
    await eventually('customers to give up', () => load.counts().withheld >= 20)

    assert.deepEqual([writtenTo(load, business).length, heldFor(business)], [7, 7])
    await eventually('more for the other', () => writtenTo(load, other).length > 14)

    await gateway.open()
    await eventually('more for the one that is back', () => writtenTo(load, business).length > 14)
    await load.stop()
    await eventually('all to be taken', () => load.counts().held === 0)
    assert.deepEqual(sorted(heard(gateway)), sorted(writtenTo(load, business)))
  })

  it('withholds what was for a business whose device is unlinked', async t => {
    const { business, customer } = await scene(t)
    const load = new Load([{ business, customer }], { everyMs: 5 })
    await eventually('a message', () => load.counts().written > 0)
    business.disconnect('removed')
    const { written, withheld } = load.counts()
    await eventually('customers to give up', () => load.counts().withheld >= withheld + 5)
    assert.equal((await load.stop()).written, written)
  })

  it('ends by a signal, without another word', async t => {
    const { business, customer } = await scene(t)
    const end = new AbortController()
    const load = new Load([{ business, customer }], { everyMs: 5, signal: end.signal })
    await eventually('a message', () => load.counts().written > 0)
    assert.equal(load.running, true)

    end.abort()

    assert.equal(load.running, false)
    const { written } = await load.stop()
    await delay(100) // some twenty messages
    assert.equal(load.counts().written, written)
  })

  it('says at its end what broke down, and lets the other chats go on until then', async t => {
    const { businesses, customers, customer } = await twoNumbers(t)
    t.mock.method(customer, 'say', () => Promise.reject(new Error('the phone fell into the water')))
    const load = new Load(everyPair(businesses, customers), { everyMs: 5 })
    await eventually('both to fail', () => load.counts().failed === 2)
    const { written } = load.counts()
    await eventually('the others to go on', () => load.counts().written > written + 5)
    await assert.rejects(load.stop(), ({ message, errors }: AggregateError) =>
      /2 of 4 chats/.test(message) && errors.length === 2 && String(errors[0]).includes('the phone fell into the water'))
  })

  it('is refused without chats, with a chat twice, with too many, for a business without a device and with numbers out of range', async t => {
    const { business, customer, simulator } = await scene(t)
    const pair = { business, customer }
    const unlinked = simulator.addBusiness({ phone: '972500000002' })
    assert.throws(() => new Load([], { everyMs: 5 }), SimulatorError)
    assert.throws(() => new Load([pair, pair], { everyMs: 5 }), /together twice/)
    assert.throws(() => new Load(Array.from({ length: 10_001 }, () => pair), { everyMs: 5 }), /10000 at most/)
    assert.throws(() => new Load([pair, { business: unlinked, customer }], { everyMs: 5 }), ConflictError)
    for (const options of [{ everyMs: 0 }, { everyMs: NaN }, { everyMs: 86_400_001 }, { everyMs: 5, mostHeld: 0 }, { everyMs: 5, seed: -1 }, { everyMs: 5, seed: 0.5 }]) {
      assert.throws(() => new Load([pair], options), /must be a whole number from/)
    }
  })
})

describe('The control API of the load', () => {
  it('begins one, shows it at any moment, and ends it', async t => {
    const { businesses, customers, simulator, gateway } = await twoNumbers(t)
    const control = await startControlApi(simulator)
    t.after(() => control.close())
    const ask = (method: string, path: string, body?: object): Promise<Answer> => call(control, method, path, body)
    const [business = '', other = ''] = businesses.map(({ phone }) => phone)
    const [customer = ''] = customers.map(({ phone }) => phone)
    const wanted = { businesses: [business, other], customers: customers.map(({ phone }) => phone), everyMs: 50, seed: 3 }
    for (const [method, path] of [['GET', '/load'], ['GET', '/load/chats'], ['DELETE', '/load']] as const) {
      assert.equal((await ask(method, path)).status, 404)
    }

    assert.deepEqual(await ask('POST', '/load', wanted), { status: 201, body: {
      running: true, everyMs: 50, seed: 3, mostHeld: 100, chats: 4, written: 0, withheld: 0, held: 0, shown: 0, failed: 0,
    } })
    const again = await ask('POST', '/load', wanted)
    assert.deepEqual([again.status, again.body.error], [409, 'a load is running: end it first'])
    const writing = async (): Promise<void> => {
      while (Number((await ask('GET', '/load')).body.written) < 8) await delay(20)
    }
    await writing()
    await gateway.say(customers[0]?.lidJid ?? '', 'hello')
    const { status, body: end } = await ask('DELETE', '/load')

    assert.deepEqual([status, end.running], [200, false])
    await eventually('all to be taken', () => businesses.every(number => heldFor(number) === 0))
    await customers[0]?.inbox.waitAfter(0, 30_000)
    const { body: after } = await ask('GET', '/load')
    assert.deepEqual(after, { ...end, held: 0, shown: 1 })
    const chatsOf = async (query: string): Promise<Record<string, unknown>[]> => (await ask('GET', `/load/chats${query}`)).body.chats as Record<string, unknown>[]
    assert.equal((await chatsOf('')).length, 4)
    assert.equal((await chatsOf(`?business=${business}`)).length, 2)
    const [chat, ...others] = await chatsOf(`?business=${business}&customer=${customer}`)
    assert.deepEqual(others, [])
    assert.deepEqual([chat?.business, chat?.customer, Object.values(chat?.shown as object)], [business, customer, ['hello']])
    const [id, text] = Object.entries(chat?.written as object)[0] as [string, string]
    assert.ok(heard(gateway).some(([heardId, heardText]) => heardId === id && heardText === text))

    assert.equal((await ask('POST', '/load', { ...wanted, everyMs: 60_000 })).status, 201)
    assert.equal((await ask('DELETE', '/load')).status, 200)
  })

  it('ends it with itself', async t => {
    const { business, customer, simulator } = await scene(t)
    const control = await startControlApi(simulator)
    await call(control, 'POST', '/load', { businesses: [business.phone], customers: [customer.phone], everyMs: 5 })
    await eventually('messages', () => simulator.counts().delivered > 3)

    await control.close()

    await eventually('silence', () => heldFor(business) === 0)
    const { delivered } = simulator.counts()
    await delay(100) // some twenty messages
    assert.equal(simulator.counts().delivered, delivered)
  })

  it('answers clearly when it is asked for what it cannot do', async t => {
    const { business: { phone: business }, customer: { phone: customer }, simulator } = await scene(t)
    const control = await startControlApi(simulator)
    t.after(() => control.close())
    const unlinked = simulator.addBusiness({ phone: '972500000002' }).phone
    const good = { businesses: [business], customers: [customer], everyMs: 50 }
    const cases: readonly [object, number, RegExp][] = [
      [{ ...good, businesses: [] }, 400, /businesses must NOT have fewer than 1/],
      [{ ...good, customers: [customer, customer] }, 400, /NOT have duplicate items/],
      [{ ...good, everyMs: 0 }, 400, /everyMs must be >= 1/],
      [{ ...good, everyMs: 86_400_001 }, 400, /from 1 to 86400000/],
      [{ ...good, mostHeld: 0 }, 400, /mostHeld must be >= 1/],
      [{ ...good, seed: '1' }, 400, /seed must be integer/],
      [{ ...good, loud: true }, 400, /additional properties/],
      [{ businesses: [business], customers: [customer] }, 400, /required property 'everyMs'/],
      [{ ...good, businesses: [customer] }, 404, /no business has/],
      [{ ...good, customers: ['97250'] }, 404, /no customer has/],
      [{ ...good, businesses: [unlinked] }, 409, /no linked device/],
    ]
    for (const [body, status, error] of cases) {
      const answer = await call(control, 'POST', '/load', body)
      assert.deepEqual([answer.status, error.test(String(answer.body.error))], [status, true], JSON.stringify(answer))
    }
    assert.equal((await call(control, 'GET', '/load')).status, 404)
  })
})
