import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createBucket } from '../support/bucket.js'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, SECRET, TENANT } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000)
})

describe('whatever a gateway process prints at level trace', () => {
  it('holds no key, no secret, no text and no number, in good times and in bad ones', async t => {
    const scene = await createScene(t, emulator, { MEDIA_BUCKET: (await createBucket(emulator.url)).name, MEDIA_DEADLINE_MS: '3000' })
    const gateway = await scene.spawn({ LOG_LEVEL: 'trace', SEND_DEADLINE_MS: '2000', STORE_RETRY_MS: '300', METRICS_NAMESPACE: 'Trial', METRICS_PERIOD_MS: '300' })
    await scene.pair(gateway)
    for (const addressing of ['lid', 'phone'] as const) {
      await scene.customer.say(scene.business, `inbound text ${addressing}`, { addressing })
      await scene.customer.say(scene.business, `corrupt text ${addressing}`, { addressing, corrupt: true }) // libsignal prints sessions here
    }
    await scene.customer.sayInGroup(scene.business, '120363000000000001@g.us', 'group text')
    await scene.business.say(scene.customer, 'owner text')
    await eventually('the traffic', () => new Set(scene.webhook.texts()).size === 7) // and the note of what could not be read
    const target = await scene.customer.sendContent(scene.business, { kind: 'image', caption: 'caption words' })
    await scene.customer.sendContent(scene.business, { kind: 'edit', target, text: 'edited words' })
    await scene.customer.sendContent(scene.business, { kind: 'reaction', target, emoji: '🦔' })
    await scene.customer.sendContent(scene.business, { kind: 'location', latitude: 32.123456, longitude: 34.654321, name: 'place words' })
    await scene.customer.sendContent(scene.business, { kind: 'contacts', contacts: [{ name: 'contact words', phone: '972587654321' }] })
    await scene.customer.sendContent(scene.business, { kind: 'document', fileName: 'name words.pdf' }, { quote: { id: target, text: 'quoted words' } })
    scene.simulator.setFaults({ mediaDownload: 'wrong' })
    await scene.customer.sendContent(scene.business, { kind: 'voice' })
    await eventually('the other kinds', () => scene.webhook.messages().some(({ content }) => content.kind === 'audio'))
    scene.simulator.setFaults({ mediaDownload: null })
    await gateway.send(await scene.command('outbound text'))
    await gateway.send(await scene.command('outbound by phone', { chatJid: scene.customer.phoneJid }))
    scene.simulator.setFaults({ ackError: '463' })
    await gateway.send(await scene.command('refused text'))
    scene.simulator.setFaults({ ackError: null, ignore: ['message'] })
    await gateway.send(await scene.command('unknown text'))
    scene.simulator.clearFaults()
    scene.webhook.answer = () => 422
    await scene.customer.say(scene.business, 'parked text')
    await eventually('the parked event', () => gateway.lines.some(line => line.includes('parked')))
    scene.webhook.answer = () => 200
    scene.aws.refuse = () => true
    await scene.customer.say(scene.business, 'text in bad times')
    await eventually('the end of the socket', () => gateway.lines.some(line => line.includes('could not be reached')))
    scene.aws.refuse = () => false
    await gateway.canSend()
    await eventually('the last text', () => scene.webhook.texts().includes('text in bad times'))
    assert.equal(await gateway.process.kill('SIGTERM'), 0)

    const printed = gateway.lines.join('\n')
    assert.ok(printed.includes('[WA-INCOMING]') && printed.includes('[BAILEYS] send finished successfully'))
    for (const text of [...scene.webhook.texts(), 'outbound', 'refused text', 'unknown text', 'parked text', 'Dana', SECRET]) {
      assert.ok(!printed.includes(text), `"${text}" is in the log`)
    }
    for (const person of [scene.customer, scene.business]) {
      for (const number of [person.phone, person.lid]) assert.ok(!printed.includes(number), `${number} is in the log: ${gateway.lines.find(line => line.includes(number)) ?? ''}`)
    }
    assert.doesNotMatch(printed, /words|🦔|32\.123456|34\.654321|972587654321|mmg\.whatsapp|\/v\/t62/)
    const secrets = await privateKeys(await scene.table.rows(`AUTH#${TENANT}`))
    assert.ok(secrets.length > 100)
    for (const key of secrets) {
      assert.ok(!printed.includes(key))
      const bytes = Buffer.from(key, 'base64')
      for (const form of [bytes.toString('hex'), bytes.toString('base64url'), [...bytes].join(',')]) assert.ok(!printed.includes(form))
    }
    assert.doesNotMatch(printed, /privKey|rootKey|<Buffer|SessionEntry/)
    for (const line of gateway.lines) assert.doesNotThrow(() => { JSON.parse(line) }, line) // nothing but log lines
    assert.ok(printed.includes('"SendsRefused"'), 'the metrics are among them')
    assert.ok(printed.includes('"counters":{"'), 'and the last counts')
    const lines = gateway.lines.map(line => JSON.parse(line) as Readonly<Record<string, unknown>>)
    const ofMessages = lines.filter(({ msg, messageId, sk }) =>
      messageId !== undefined || sk !== undefined || /message journalled|could not be decrypted|event forwarded|did not take an event|send finished|not confirmed|file/.test(String(msg)))
    assert.ok(ofMessages.length > 15)
    for (const line of ofMessages) assert.equal(typeof line['correlation_id'], 'string', JSON.stringify(line))
  })
})

/** Every key of the auth state in the form in which it is stored. */
function privateKeys(rows: readonly Record<string, unknown>[]): Promise<string[]> {
  const keys = rows.flatMap(({ value }) => [...String(value).matchAll(/"((?:[A-Za-z0-9+/]{4}){10}[A-Za-z0-9+/]{3}=)"/g)].flatMap(([, key]) => key === undefined ? [] : [key]))
  return Promise.resolve([...new Set(keys)])
}
