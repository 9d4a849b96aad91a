import { FILE_KINDS } from '../content/content.js'

/** JSON Schemas of `content/content.ts`. */

const text = { type: 'string', maxLength: 65_536 }
const id = { type: 'string', minLength: 1, maxLength: 128 }
const flag = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const number = { type: 'number' }
const phone = { type: 'string', pattern: '^[0-9]{5,20}$' }

const object = (properties: Record<string, object>, required: string[]): object =>
  ({ type: 'object', properties, required, additionalProperties: false })

const kind = (name: string, required: Record<string, object>, optional: Record<string, object> = {}): object =>
  object({ kind: { const: name }, ...required, ...optional }, ['kind', ...Object.keys(required)])

const files = FILE_KINDS.map(name => kind(name, {}, {
  bytes: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' }, size: { ...count, maximum: 128 * 1024 * 1024 }, mimetype: text, caption: text,
  fileName: text, seconds: count, wrongHash: flag,
}))

export const content = {
  type: 'object', required: ['kind'], discriminator: { propertyName: 'kind' },
  oneOf: [
    kind('text', { text }),
    ...files,
    kind('reaction', { target: id, emoji: text }),
    kind('edit', { target: id, text }),
    kind('delete', { target: id }),
    kind('location', { latitude: number, longitude: number }, { name: text, address: text, live: flag }),
    kind('contacts', { contacts: { type: 'array', minItems: 1, maxItems: 100, items: object({ name: text, phone }, ['name', 'phone']) } }),
    kind('button-reply', { id, text }, { style: { enum: ['buttons', 'template', 'interactive'] } }),
    kind('list-reply', { id, title: text }, { description: text }),
    kind('poll', { question: text, options: { type: 'array', items: text, minItems: 2, maxItems: 12 } }),
    kind('timer', { seconds: count }),
    kind('unknown', {}),
    kind('proto', { message: { type: 'object' } }),
  ],
}

export const extras = {
  quote: object({ id, text }, ['id']), expiration: count, viewOnce: flag, forwarded: flag,
  ad: object({ title: text, url: text, id }, ['title', 'url']),
}
