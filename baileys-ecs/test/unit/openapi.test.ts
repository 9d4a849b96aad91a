import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openapi } from '../../scripts/openapi.js'

interface Operation {
  readonly summary?: string
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: { readonly 'application/json': { readonly schema: { readonly $ref?: string } } } }>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes: Readonly<Record<string, unknown>> }
}

const text = await openapi()
const document = JSON.parse(text) as Document
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })))

describe('openapi.json', () => {
  it('is that of the routes: run `make contracts` when this fails', () => {
    assert.equal(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'), text)
  })
  it('has every route of the API', () => {
    assert.deepEqual(operations.map(({ name }) => name).sort(), [
      'GET /health', 'GET /whatsapp/{tenant}/pairing-code', 'GET /whatsapp/{tenant}/qr', 'GET /whatsapp/{tenant}/sending-status',
      'GET /whatsapp/{tenant}/status', 'POST /whatsapp/{tenant}/messages', 'POST /whatsapp/{tenant}/pairing-code', 'POST /whatsapp/{tenant}/restart',
    ])
  })
  for (const { name, operation } of operations) {
    it(`says of ${name} what it is for, who may call it, and every way in which it answers`, () => {
      assert.ok((operation.summary ?? '').length > 10)
      const open = name === 'GET /health'
      assert.deepEqual(operation.security, open ? [] : [{ internalSecret: [] }])
      const answers = Object.entries(operation.responses)
      assert.ok(answers.some(([status]) => status.startsWith('2')))
      for (const [status, { description, content }] of answers) {
        assert.ok(description.length > 5, status)
        assert.match(content?.['application/json'].schema.$ref ?? '', /^#\/components\/schemas\/\w+$/, status)
      }
      if (open) return
      assert.deepEqual(operation.parameters?.map(({ name, in: where }) => [name, where]), [['tenant', 'path']])
      for (const status of ['400', '401', '404', '500']) {
        assert.equal(operation.responses[status]?.content?.['application/json'].schema.$ref, '#/components/schemas/ErrorAnswer', status)
      }
      if (operation.requestBody !== undefined) assert.ok('413' in operation.responses)
    })
  }
  it('defines whatever it refers to', () => {
    for (const [, reference = ''] of text.matchAll(/"\$ref": "([^"]*)"/g)) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] ?? ''
      assert.ok(name in document.components.schemas, reference)
    }
    assert.ok('internalSecret' in document.components.securitySchemes)
  })
})
