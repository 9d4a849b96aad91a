/**
 * Writes the OpenAPI document of the gateway to standard output, from the very schemas by which its routes check:
 * `npm run openapi -w baileys-ecs` shows it, `make contracts` writes it to `openapi.json`.
 */
import swagger from '@fastify/swagger'
import { buildHttp } from '../src/http/build.js'
import { CONTRACT } from '../src/http/schemas.js'
import { createLogger } from '../src/observability/logger.js'
import { Secrets } from '../src/webhook/secrets.js'

const COMPONENTS = '#/components/schemas/'

/** The document, with each model of the contract once, under `components`. */
export async function openapi(): Promise<string> {
  const nothing = (): undefined => undefined
  const app = buildHttp({
    session: nothing, restart: nothing, elsewhere: () => Promise.resolve(undefined), health: () => ({ status: 'ok', sessions: 0, connected: 0 }),
    secrets: new Secrets(() => Promise.reject(new Error('no route is called here')), () => 0), logger: createLogger('silent'),
  }, {
    plugin: swagger,
    options: {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Kesher\'s WhatsApp gateway', version: '1',
          description: 'Reached by the send function only. Generated from the routes by `make contracts`; do not edit.',
        },
        components: { securitySchemes: { internalSecret: { type: 'apiKey', in: 'header', name: 'X-Internal-Secret', description: 'The current or the previous internal secret.' } } },
      },
    },
  })
  await app.ready()
  const document = app.swagger() as { components?: object }
  await app.close()
  const whole = { ...document, components: { ...document.components, schemas: CONTRACT.$defs } }
  return JSON.stringify(whole, (key, value: unknown) => key === '$ref' && typeof value === 'string' ? referred(value) : value, 2) + '\n'
}

/** The plugin files a model as `def-0-<model>`, and inside the contract models name each other by `#/$defs/<model>`. */
const referred = (reference: string): string => COMPONENTS + (/\w+$/.exec(reference)?.[0] ?? '')

if (import.meta.filename === process.argv[1]) process.stdout.write(await openapi())
