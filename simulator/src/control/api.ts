import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { SimulatorError } from '../errors.js'
import type { Business } from '../people/business.js'
import { newMessageId } from '../stanza.js'
import type { Simulator } from '../simulator.js'
import { loadRoutes } from './load-routes.js'
import * as schemas from './schemas.js'
import { businessView, customerView, identityView, inboxView } from './views.js'

export interface ControlApi {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  close(): Promise<void>
}

export interface ControlApiOptions {
  /** TCP port on 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Is told of every request that failed for a reason of the simulator's own (status 500). */
  readonly onProblem?: (problem: Error) => void
}

/** The simulator's operations over HTTP and JSON, for tests in other languages and for the demo. See the README. */
export async function startControlApi(
  simulator: Simulator, { port = 0, onProblem = () => undefined }: ControlApiOptions = {},
): Promise<ControlApi> {
  const app = buildControlApi(simulator, onProblem)
  await app.listen({ port, host: '127.0.0.1' })
  const { port: listening } = app.server.address() as AddressInfo
  return { url: `http://127.0.0.1:${listening}`, close: () => app.close() }
}

/** A file in base64. */
const BODY_LIMIT = 64 * 1024 * 1024

interface OfPhone { Params: { phone: string } }

function buildControlApi(simulator: Simulator, onProblem: (problem: Error) => void): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    // A long poll may be under way when the simulator is to end.
    forceCloseConnections: true,
    // Refuse what is not understood instead of quietly changing or dropping it.
    ajv: { customOptions: { discriminator: true, coerceTypes: false, removeAdditional: false, allErrors: true, allowUnionTypes: true } },
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof SimulatorError ? error.status : error.statusCode ?? 500
    if (status >= 500) onProblem(error)
    return reply.code(status).send({ error: error.message })
  })
  app.setNotFoundHandler((request, reply) => reply.code(404).send({ error: `there is no ${request.method} ${request.url}` }))

  app.get('/health', () => ({ status: 'ok', waUrl: simulator.waUrl, mediaUrl: simulator.mediaUrl, trustRoot: simulator.trustRoot }))
  businessRoutes(app, simulator)
  customerRoutes(app, simulator, onProblem)
  serverRoutes(app, simulator)
  loadRoutes(app, simulator, onProblem)
  return app
}

function businessRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.post<{ Body: schemas.NewPersonBody }>('/businesses', { schema: { body: schemas.newBusiness } },
    ({ body }, reply) => reply.code(201).send(identityView(simulator.addBusiness(body))))

  app.get<OfPhone>('/businesses/:phone', ({ params }) => businessView(simulator.business(params.phone)))

  app.patch<OfPhone & { Body: schemas.BusinessBody }>('/businesses/:phone', { schema: { body: schemas.businessChange } },
    async ({ params, body }) => {
      const business = simulator.business(params.phone)
      await business.change(body)
      return businessView(business)
    })

  app.post<OfPhone & { Body: schemas.ScanBody }>('/businesses/:phone/scan', { schema: { body: schemas.scan } },
    ({ params, body }) => {
      const { number, phoneJid } = simulator.business(params.phone).scan(body.qr)
      return { device: number, jid: phoneJid }
    })

  app.post<OfPhone & { Body: schemas.CodeBody }>('/businesses/:phone/enter-code', { schema: { body: schemas.enterCode } },
    async ({ params, body }) => {
      const { number, phoneJid } = await simulator.business(params.phone).enterCode(body.code)
      return { device: number, jid: phoneJid }
    })

  app.post<OfPhone & { Body: schemas.OwnerSaysBody }>('/businesses/:phone/say', { schema: { body: schemas.ownerSays } },
    async ({ params, body: { customer, text, ...options } }) => ({
      id: await simulator.business(params.phone).say(simulator.customer(customer), text, options),
    }))

  app.post<OfPhone & { Body: schemas.OwnerSendsBody }>('/businesses/:phone/send', { schema: { body: schemas.ownerSends } },
    async ({ params, body: { customer, content, ...options } }) => ({
      id: await simulator.business(params.phone).sendContent(simulator.customer(customer), content, options),
    }))

  app.post<OfPhone & { Body: schemas.NewsletterBody }>('/businesses/:phone/newsletter-post', {
    schema: { body: schemas.newsletterPost },
  }, ({ params, body }) => ({ id: simulator.business(params.phone).showNewsletterPost(body.newsletter, body.text) }))

  app.post<OfPhone & { Body: schemas.NoticeBody }>('/businesses/:phone/notify', { schema: { body: schemas.businessNotice } },
    ({ params, body }, reply) => {
      simulator.business(params.phone).notify(body.kind, body.customer === undefined ? undefined : simulator.customer(body.customer))
      return reply.code(204).send()
    })

  app.put<OfPhone & { Body: schemas.SaveContactBody }>('/businesses/:phone/contacts', { schema: { body: schemas.saveContact } },
    async ({ params, body }, reply) => {
      await simulator.business(params.phone).saveContact(simulator.customer(body.customer), body.name)
      return reply.code(204).send()
    })

  app.delete<OfPhone & { Body: schemas.RemoveContactBody }>('/businesses/:phone/contacts', { schema: { body: schemas.removeContact } },
    async ({ params, body }, reply) => {
      await simulator.business(params.phone).removeContact(simulator.customer(body.customer))
      return reply.code(204).send()
    })

  app.post<OfPhone & { Body: schemas.RestrictionBody }>('/businesses/:phone/restrict', { schema: { body: schemas.restriction } },
    ({ params, body }, reply) => {
      simulator.business(params.phone).restrict(body.until)
      return reply.code(204).send()
    })

  app.post<OfPhone & { Body: schemas.MappingBody }>('/businesses/:phone/mapping', { schema: { body: schemas.mapping } },
    async ({ params, body }, reply) => {
      await simulator.business(params.phone).tellMapping(...body.customers.map(phone => simulator.customer(phone)))
      return reply.code(204).send()
    })

  app.post<OfPhone & { Body: schemas.DisconnectBody }>('/businesses/:phone/disconnect', {
    schema: { body: schemas.disconnect },
  }, ({ params, body }, reply) => {
    simulator.business(params.phone).disconnect(body.how)
    return reply.code(204).send()
  })
}

function customerRoutes(app: FastifyInstance, simulator: Simulator, onProblem: (problem: Error) => void): void {
  const knownTo = ({ businesses }: schemas.KnownToBody): Business[] => businesses.map(phone => simulator.business(phone))

  app.post<{ Body: schemas.CustomerBody }>('/customers', { schema: { body: schemas.newCustomer } },
    ({ body: { phone, name, lid, ...settings } }, reply) => {
      const person = { phone, ...(name !== undefined && { name }), ...(lid !== undefined && { lid }) }
      return reply.code(201).send(customerView(simulator.addCustomer(person, settings)))
    })

  app.patch<OfPhone & { Body: schemas.CustomerBody }>('/customers/:phone', { schema: { body: schemas.customerChange } },
    async ({ params, body }) => {
      const customer = simulator.customer(params.phone)
      await customer.change(body)
      return customerView(customer)
    })

  app.get<OfPhone>('/customers/:phone', ({ params }) => customerView(simulator.customer(params.phone)))

  app.post<OfPhone & { Body: schemas.SayBody }>('/customers/:phone/say', { schema: { body: schemas.say } },
    async ({ params, body: { business: to, text, group, ...options } }) => {
      const customer = simulator.customer(params.phone)
      const business = simulator.business(to)
      const id = group === undefined
        ? await customer.say(business, text, options)
        : await customer.sayInGroup(business, group, text, options)
      return { id }
    })

  app.post<OfPhone & { Body: schemas.SendBody }>('/customers/:phone/send', { schema: { body: schemas.send } },
    async ({ params, body: { business, content, ...options } }) => ({
      id: await simulator.customer(params.phone).sendContent(simulator.business(business), content, options),
    }))

  app.get<{ Params: { phone: string; id: string } }>('/customers/:phone/files/:id', async ({ params: { phone, id } }, reply) => {
    const { mimetype, bytes } = await simulator.customer(phone).fileIn(id)
    return reply.type(mimetype).send(bytes)
  })

  app.post<OfPhone & { Body: schemas.SayManyBody }>('/customers/:phone/say-many', { schema: { body: schemas.sayMany } },
    ({ params, body: { business: to, texts, delayMs = 0, ...options } }) => {
      const customer = simulator.customer(params.phone)
      const business = simulator.business(to)
      business.requireDevices()
      const messages = texts.map(text => ({ text, id: newMessageId() }))
      // Answered at once: with a delay between the messages the last one may be minutes away.
      void (async () => {
        for (const [at, { text, id }] of messages.entries()) {
          if (at > 0 && delayMs > 0) await new Promise(resolve => { setTimeout(resolve, delayMs).unref() })
          await customer.say(business, text, { ...options, id })
        }
      })().catch((problem: unknown) => { onProblem(problem as Error) })
      return { ids: messages.map(({ id }) => id) }
    })

  app.post<OfPhone & { Body: schemas.BusinessTextBody }>('/customers/:phone/status', { schema: { body: schemas.statusPost } },
    async ({ params, body }) => ({
      id: await simulator.customer(params.phone).postStatus(simulator.business(body.business), body.text),
    }))

  app.post<OfPhone & { Body: schemas.TypingBody }>('/customers/:phone/typing', { schema: { body: schemas.typing } },
    ({ params, body }, reply) => {
      simulator.customer(params.phone).type(simulator.business(body.business), body.state)
      return reply.code(204).send()
    })

  app.post<OfPhone & { Body: schemas.ReadBody }>('/customers/:phone/read', { schema: { body: schemas.read } },
    ({ params, body }, reply) => {
      simulator.customer(params.phone).read(body.id)
      return reply.code(204).send()
    })

  app.post<OfPhone & { Body: schemas.KnownToBody }>('/customers/:phone/devices', { schema: { body: schemas.knownTo } },
    ({ params, body }, reply) => reply.code(201).send({ device: simulator.customer(params.phone).linkDevice(...knownTo(body)) }))

  app.delete<{ Params: { phone: string; device: string }; Body: schemas.KnownToBody }>('/customers/:phone/devices/:device', {
    schema: { body: schemas.knownTo },
  }, ({ params, body }, reply) => {
    simulator.customer(params.phone).unlinkDevice(Number(params.device), ...knownTo(body))
    return reply.code(204).send()
  })

  app.post<OfPhone & { Body: schemas.KnownToBody }>('/customers/:phone/new-phone', { schema: { body: schemas.knownTo } },
    ({ params, body }, reply) => {
      simulator.customer(params.phone).changePhone(...knownTo(body))
      return reply.code(204).send()
    })

  app.get<OfPhone & { Querystring: schemas.InboxQuery }>('/customers/:phone/inbox', {
    schema: { querystring: schemas.inboxQuery },
  }, async ({ params, query }) => {
    const customer = simulator.customer(params.phone)
    const after = Number(query.after ?? 0)
    return inboxView(customer, after, await customer.inbox.waitAfter(after, Number(query.waitMs ?? 0)))
  })
}

function serverRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.post<{ Body: schemas.RestartBody }>('/restart', { schema: { body: schemas.restart } }, async ({ body }, reply) => {
    await simulator.restart(body.downMs)
    return reply.code(204).send()
  })

  app.post('/media/expire', (_request, reply) => {
    simulator.expireFiles()
    return reply.code(204).send()
  })

  app.get('/faults', () => simulator.faults)
  app.patch<{ Body: schemas.FaultsBody }>('/faults', { schema: { body: schemas.faults } },
    ({ body }) => simulator.setFaults(body))
  app.delete('/faults', () => simulator.clearFaults())

  app.get('/counts', () => simulator.counts())
  app.get('/problems', () => ({ unhandledQueries: simulator.unhandled.after(), problems: simulator.problems.after() }))

  app.get<{ Querystring: schemas.LogQuery }>('/log', { schema: { querystring: schemas.logQuery } },
    ({ query: { tag, dir, after = '0', limit = '1000' } }) => {
      const entries = simulator.log.after(Number(after))
        .filter(entry => (tag === undefined || entry.stanza.tag === tag) && (dir === undefined || entry.dir === dir))
        .slice(0, Number(limit))
      return { entries, next: entries.at(-1)?.index ?? Number(after) }
    })
}
