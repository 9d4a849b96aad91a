import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type ControlApi, Simulator, startControlApi } from '../src/index.js'
import { type Answer, call } from './support/call.js'
import { eventually } from './support/eventually.js'
import { Gateway } from './support/gateway.js'

describe('The control API', () => {
  const business = '972500000001'
  const customer = '972521111111'
  let simulator: Simulator
  let control: ControlApi
  let gateway: Gateway

  const get = (path: string): Promise<Answer> => call(control, 'GET', path)
  const post = (path: string, body: object): Promise<Answer> => call(control, 'POST', path, body)
  const patch = (path: string, body: object): Promise<Answer> => call(control, 'PATCH', path, body)
  const textsIn = ({ body }: Answer): unknown[] => (body.messages as { text: string }[]).map(({ text }) => text)

  before(async () => {
    simulator = await Simulator.start()
    simulator.trustHere()
    control = await startControlApi(simulator)
    gateway = new Gateway(simulator)
  })
  after(async () => {
    await gateway.stop()
    await control.close()
    await simulator.stop()
  })

  it('says where the server is and what to trust', async () => {
    const { status, body } = await get('/health')
    assert.equal(status, 200)
    assert.deepEqual(body, { status: 'ok', waUrl: simulator.waUrl, mediaUrl: simulator.mediaUrl, trustRoot: simulator.trustRoot })
  })

  it('creates people, once each', async () => {
    assert.deepEqual(await post('/businesses', { phone: business, name: 'Studio' }),
      { status: 201, body: { phone: business, lid: `9${business}`, name: 'Studio' } })
    const { status, body } = await post('/customers', { phone: customer, name: 'Dana', sendsReadReceipts: true })
    assert.equal(status, 201)
    assert.equal(body.addressing, 'lid')
    assert.equal(body.sendsReadReceipts, true)
    assert.equal((await post('/customers', { phone: customer })).status, 409)
    assert.equal((await post('/customers', { phone: '972529999999', lid: `8${customer}` })).status, 409)
  })

  it('pairs by QR code', async () => {
    assert.equal((await post(`/customers/${customer}/say`, { business, text: 'too early' })).status, 409)
    gateway.connect()
    const qr = await gateway.qr()

    assert.deepEqual(await post(`/businesses/${business}/scan`, { qr }),
      { status: 200, body: { device: 1, jid: `${business}:1@s.whatsapp.net` } })

    await gateway.closed()
    await gateway.open()
    const { body } = await get(`/businesses/${business}`)
    assert.equal(body.connected, true)
    assert.equal((body.linkedDevices as unknown[]).length, 1)
    assert.match(String((await post(`/businesses/${business}/scan`, { qr })).body.error), /unknown or expired/)
  })

  it('carries a conversation, with a long poll for the answers', async () => {
    const { body: { id } } = await post(`/customers/${customer}/say`, { business, text: 'hi' })
    const { message } = await gateway.hears('hi')
    assert.equal(message.key.id, id)
    const started = Date.now()
    const poll = get(`/customers/${customer}/inbox?after=0&waitMs=30000`)

    const answer = await gateway.say(message.key.remoteJid ?? '', 'hello')

    const { body } = await poll
    assert.ok(Date.now() - started < 30_000)
    const [first] = body.messages as Record<string, unknown>[]
    assert.deepEqual({ ...first, at: 0 }, { index: 1, id: answer, from: business, device: 1, text: 'hello', content: { kind: 'text', text: 'hello' }, at: 0 })
    assert.equal(body.next, 1)
    assert.deepEqual(body.copies, { [answer]: 1 })
    assert.equal(body.undecryptable, 0)
    await eventually('the read receipt', () => gateway.statusesOf(answer).includes(4))
    assert.equal((await post(`/customers/${customer}/read`, { id: answer })).status, 204)
  })

  it('returns an empty inbox when the wait is over', async () => {
    const { status, body } = await get(`/customers/${customer}/inbox?after=1&waitMs=50`)
    assert.equal(status, 200)
    assert.deepEqual(body.messages, [])
    assert.equal(body.next, 1)
  })

  it('lets the owner answer on the phone, and shows what linked devices sent', async () => {
    const { body: { id } } = await post(`/businesses/${business}/say`, { customer, text: 'the owner here', addressing: 'phone' })
    assert.equal((await gateway.hears('the owner here')).message.key.id, id)
    assert.deepEqual(textsIn(await get(`/customers/${customer}/inbox?after=1`)), ['the owner here'])
    const copies = (await get(`/businesses/${business}`)).body.sentCopies as { text: string }[]
    assert.deepEqual(copies.map(({ text }) => text), ['hello'])
  })

  it('sends any content from both phones, and shows files', async () => {
    const content = { kind: 'document', bytes: Buffer.from('a plan').toString('base64'), fileName: 'plan.txt', mimetype: 'text/plain' }
    const { body: { id } } = await post(`/businesses/${business}/send`, { customer, content })
    const { body: { messages } } = await get(`/customers/${customer}/inbox?after=2`)
    assert.deepEqual((messages as { content: object }[])[0]?.content, { kind: 'document', mimetype: 'text/plain', fileName: 'plan.txt', size: 6 })
    const file = await fetch(`${control.url}/customers/${customer}/files/${String(id)}`)
    assert.deepEqual([file.headers.get('content-type'), await file.text()], ['text/plain', 'a plan'])

    const reaction = { kind: 'reaction', target: id, emoji: '👍' }
    const { status, body } = await post(`/customers/${customer}/send`, { business, content: reaction, expiration: 86_400 })
    assert.equal(status, 200)
    await eventually('the reaction', () => gateway.received.some(({ message }) => message.key.id === body.id))
  })

  it('says many things in a row', async () => {
    const texts = ['m1', 'm2', 'm3']
    const { body } = await post(`/customers/${customer}/say-many`, { business, texts, delayMs: 5 })
    assert.equal((body.ids as string[]).length, 3)
    for (const text of texts) await gateway.hears(text)
  })

  it('writes in groups, as status, in newsletters, and types', async () => {
    await post(`/customers/${customer}/say`, { business, text: 'in the group', group: '120363000000000001@g.us' })
    await post(`/customers/${customer}/status`, { business, text: 'my story' })
    await post(`/businesses/${business}/newsletter-post`, { newsletter: '120363000000000002@newsletter', text: 'news' })
    assert.equal((await post(`/customers/${customer}/typing`, { business })).status, 204)
    assert.equal((await gateway.hears('in the group')).message.key.remoteJid, '120363000000000001@g.us')
    await gateway.hears('my story')
    await gateway.hears('news')
  })

  it('changes how a phone behaves', async () => {
    const { body } = await patch(`/customers/${customer}`, { offline: true, failDecrypt: 2 })
    assert.equal(body.offline, true)
    assert.equal(body.failDecrypt, 2)
    await patch(`/customers/${customer}`, { offline: false, failDecrypt: 0 })
    assert.equal((await get(`/customers/${customer}`)).body.failDecrypt, 0)
  })

  it('switches faults on and off', async () => {
    assert.equal((await patch('/faults', { ackError: '463', latencyMs: 5 })).body.ackError, '463')
    assert.equal((await get('/faults')).body.latencyMs, 5)
    const { body } = await call(control, 'DELETE', '/faults')
    assert.equal(body.ackError, null)
    assert.equal(body.latencyMs, 0)
  })

  it('shows the stanzas without ciphertext, and counts', async () => {
    const { body } = await get('/log?tag=message&dir=in&limit=1')
    const [entry] = body.entries as { dir: string; stanza: { tag: string } }[]
    assert.equal(entry?.dir, 'in')
    assert.equal(entry.stanza.tag, 'message')
    assert.match(JSON.stringify(entry), /<\d+ bytes>/)
    const counts = (await get('/counts')).body
    assert.equal(counts.sent, 1)
    assert.equal(counts.redelivered, 0)
    assert.equal(counts.unhandledQueries, 0)
    assert.equal(counts.problems, 0)
    assert.deepEqual((await get('/problems')).body, { unhandledQueries: [], problems: [] })
  })

  it('disconnects', async () => {
    assert.equal((await post(`/businesses/${business}/disconnect`, { how: 'busy' })).status, 204)
    assert.equal(await gateway.closed(), 503)
    assert.equal((await post(`/businesses/${business}/disconnect`, { how: 'busy' })).status, 409)
  })

  describe('answers clearly when it is asked for', () => {
    const cases: readonly [string, () => Promise<Answer>, number, RegExp][] = [
      ['an unknown business', () => get('/businesses/97250'), 404, /no business has the phone number 97250/],
      ['an unknown customer', () => post('/customers/97250/say', { business, text: 'x' }), 404, /no customer has/],
      ['a customer as a business', () => get(`/businesses/${customer}`), 404, /no business has/],
      ['a message that never came', () => post(`/customers/${customer}/read`, { id: 'X' }), 404, /no message with id X/],
      ['an unknown path', () => get('/nothing'), 404, /there is no GET \/nothing/],
      ['a phone number with a plus', () => post('/businesses', { phone: '+972500000001' }), 400, /body\/phone must match/],
      ['a body without its text', () => post(`/customers/${customer}/say`, { business }), 400, /required property 'text'/],
      ['an unknown kind of content', () => post(`/customers/${customer}/send`, { business, content: { kind: 'smell' } }), 400, /"kind"/],
      ['a field of another kind', () => post(`/customers/${customer}/send`, { business, content: { kind: 'edit', target: 'X', emoji: 'Y' } }), 400, /text/],
      ['a file where there is none', () => get(`/customers/${customer}/files/X`), 404, /no message with id X and a file/],
      ['an unknown setting', () => patch(`/customers/${customer}`, { colour: 'red' }), 400, /additional properties/],
      ['an unknown ending', () => post(`/businesses/${business}/disconnect`, { how: 'softly' }), 400, /body\/how/],
      ['an unknown fault', () => patch('/faults', { rain: true }), 400, /additional properties/],
      ['a fault of the wrong type', () => patch('/faults', { latencyMs: '5' }), 400, /body\/latencyMs must be integer/],
      ['an index that is no number', () => get(`/customers/${customer}/inbox?after=x`), 400, /querystring\/after/],
    ]
    for (const [what, ask, status, error] of cases) {
      it(what, async () => {
        const answer = await ask()
        assert.equal(answer.status, status)
        assert.match(String(answer.body.error), error)
      })
    }
  })
})
