import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { iamSigner } from '../../src/webhook/sigv4.js'
import { sign } from '../../src/webhook/signing.js'

interface Vector {
  readonly name: string
  readonly secret: string
  readonly timestamp: number
  readonly body: string
  readonly signature: string
}

const vectors = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../contracts/vectors/signatures.json'), 'utf8')) as Vector[]

describe('the signature of an event', () => {
  it('is the one that the functions verify', () => {
    assert.ok(vectors.length > 0)
    for (const { name, secret, timestamp, body, signature } of vectors) assert.equal(sign(secret, timestamp, body), signature, name)
  })

  it('is another one for another body, time or secret', () => {
    const signatures = [sign('a', 1, 'x'), sign('b', 1, 'x'), sign('a', 2, 'x'), sign('a', 1, 'y')]
    assert.equal(new Set(signatures).size, signatures.length)
  })
})

describe('the signature for AWS_IAM', () => {
  it('is made for Lambda, covers the body and keeps our own headers', async () => {
    const signer = iamSigner('eu-west-1', () => Promise.resolve({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' }))
    const url = new URL('https://abc.lambda-url.eu-west-1.on.aws/api/whatsapp/webhook/incoming')
    const one = await signer(url, { 'x-kesher-timestamp': '1' }, '{}')
    const two = await signer(url, { 'x-kesher-timestamp': '1' }, '{"a":1}')
    assert.match(one['authorization'] ?? '', /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/lambda\/aws4_request, SignedHeaders=.*host.*x-kesher-timestamp/)
    assert.equal(one['x-amz-security-token'], 'token')
    assert.equal(one['x-kesher-timestamp'], '1')
    assert.notEqual(one['authorization'], two['authorization'])
    assert.equal(one['host'], undefined)
  })
})
