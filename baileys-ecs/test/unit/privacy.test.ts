import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { baileysLogger, createLogger } from '../../src/observability/logger.js'
import { chatRef, redactError, redactText } from '../../src/observability/redact.js'

function lines(): { readonly written: string[]; readonly logger: ReturnType<typeof createLogger> } {
  const written: string[] = []
  return { written, logger: createLogger('trace', { write: line => { written.push(line) } }) }
}

describe('a log line', () => {
  it('shows the last two digits of a number, wherever it stands', () => {
    assert.equal(redactText('no session for 972501234567:3@s.whatsapp.net'), 'no session for **67@s.whatsapp.net')
    assert.equal(redactText('8972521111111_1.0 is unknown'), '**11 is unknown')
    const digits = fc.stringMatching(/^[1-9]\d{8,14}$/)
    fc.assert(fc.property(digits, fc.constantFrom('@lid', '@s.whatsapp.net', ':12@s.whatsapp.net', '_1.0', '.3', ' called', ''), (number, after) => {
      assert.ok(!redactText(`about ${number}${after}`).includes(number.slice(0, -2)))
    }))
  })
  it('leaves message ids readable', () => {
    for (const id of ['3EB0A1B2C3D4E5F60718', '3A2BF9AA37228D326758']) assert.equal(redactText(`message ${id}`), `message ${id}`)
  })
  it('of Baileys keeps the words and an error, and drops stanzas, keys and sessions', () => {
    const { written, logger } = lines()
    const baileys = baileysLogger(logger)
    assert.equal(baileys.level, 'warn')
    baileys.trace({ xml: '<secret/>' }, 'xml recv')
    baileys.debug({ node: 'secret' })
    baileys.info({ me: 'secret' })
    baileys.child({ class: 'secret' }).warn({ key: { remoteJid: '972501234567@s.whatsapp.net' }, session: { privKey: 'secret' } }, 'trouble with 972501234567@s.whatsapp.net')
    baileys.error({ err: new Error('Bad MAC for 972501234567.0'), node: 'secret' }, 'failed to decrypt message')
    baileys.error({ err: new Error('x') }, 'stream errored out')
    assert.equal(written.length, 2)
    assert.ok(!written.join('').includes('secret'))
    assert.ok(!written.join('').includes('9725012345'))
    assert.ok(written[1]?.includes('failed to decrypt message'))
  })
  it('names a chat by a short hash that is equal for equal jids', () => {
    assert.equal(chatRef('972501234567@s.whatsapp.net'), chatRef('972501234567@s.whatsapp.net'))
    assert.notEqual(chatRef('972501234567@s.whatsapp.net'), chatRef('972501234568@s.whatsapp.net'))
    assert.match(chatRef('972501234567@s.whatsapp.net'), /^[0-9a-f]{10}$/)
  })
  it('of an error has no fields but the safe ones', () => {
    const error = Object.assign(new Error('x'), { data: { privKey: 'secret' }, output: { statusCode: 428 } })
    assert.deepEqual(Object.keys(redactError(error)), ['type', 'message', 'code', 'stack'])
    assert.equal(redactError({ privKey: 'secret' }).message, 'not an error')
  })
})

describe('the console', () => {
  it('is silent once the gateway begins: libsignal prints private keys there', async () => {
    const real = globalThis.console
    globalThis.console = Object.create(real) as Console
    await import('../../src/observability/silence.js')
    for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir'] as const) {
      assert.ok(Object.hasOwn(console, method))
      console[method]('secret') // would stand in the test's output
    }
    globalThis.console = real
  })
})
