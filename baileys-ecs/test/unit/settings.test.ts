import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { help, readSettings, SettingsError, VARIABLES } from '../../src/settings.js'

const LEAST = { GATEWAY_TABLE: 'gateway', WEBHOOK_URL: 'http://127.0.0.1:1/hook', INTERNAL_SECRET: 's' }

describe('the settings', () => {
  it('need a table, a webhook and a secret; all the rest has defaults', () => {
    const settings = readSettings(LEAST)
    assert.equal(settings.host, '127.0.0.1')
    assert.equal(settings.sendDeadlineMs, 30_000)
    assert.deepEqual(settings.secret, { kind: 'value', value: 's' })
    assert.equal(settings.waWebSocketUrl, undefined)
  })

  it('name every fault at once, and what to give instead', () => {
    assert.throws(() => readSettings({ PORT: 'abc', WEBHOOK_URL: 'ftp://x', LOG_LEVEL: 'loud' }), (error: unknown) => {
      assert.ok(error instanceof SettingsError)
      for (const name of ['PORT', 'WEBHOOK_URL', 'LOG_LEVEL', 'GATEWAY_TABLE', 'INTERNAL_SECRET']) assert.match(error.message, new RegExp(name))
      return true
    })
  })

  it('sign for IAM by themselves when the webhook is a Lambda function URL', () => {
    const auth = (WEBHOOK_URL: string, WEBHOOK_AUTH = ''): string => readSettings({ ...LEAST, WEBHOOK_URL, WEBHOOK_AUTH }).webhookAuth
    assert.equal(auth('https://abc.lambda-url.eu-west-1.on.aws/api'), 'iam')
    assert.equal(auth('https://example.com/on.aws'), 'none')
    assert.equal(auth('https://abc.lambda-url.eu-west-1.on.aws/api', 'none'), 'none')
    assert.equal(auth('https://example.com', 'iam'), 'iam')
  })

  it('take one secret, not two', () => {
    assert.throws(() => readSettings({ ...LEAST, INTERNAL_SECRET_ARN: 'arn:aws:secretsmanager:x' }), /give one of them/)
  })

  it('are all in the help and in the README', () => {
    const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')
    for (const { name, fallback } of VARIABLES) {
      assert.ok(help().includes(name))
      const row = readme.split('\n').find(line => line.startsWith(`| \`${name}\``))
      assert.ok(row, `${name} is missing in the README`)
      if (fallback !== undefined && fallback !== '') assert.ok(row.includes(`\`${fallback}\``), `${name}: default ${fallback} is missing in the README`)
    }
  })
})
