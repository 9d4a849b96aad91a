import type { FastifyInstance } from 'fastify'
import { ConflictError, NotFoundError } from '../errors.js'
import { Load, everyPair } from '../load/load.js'
import type { Simulator } from '../simulator.js'
import * as schemas from './schemas.js'
import { loadChatView, loadView } from './views.js'

/** One load at a time; it ends with the API. The last one can be looked at until the next begins. */
export function loadRoutes(app: FastifyInstance, simulator: Simulator, onProblem: (problem: Error) => void): void {
  let last: Load | undefined
  const present = (): Load => {
    if (!last) throw new NotFoundError('there was no load yet')
    return last
  }

  app.post<{ Body: schemas.LoadBody }>('/load', { schema: { body: schemas.load } }, ({ body: { businesses, customers, ...options } }, reply) => {
    if (last?.running === true) throw new ConflictError('a load is running: end it first')
    const pairs = everyPair(businesses.map(phone => simulator.business(phone)), customers.map(phone => simulator.customer(phone)))
    last = new Load(pairs, options)
    return reply.code(201).send(loadView(last))
  })

  app.get('/load', () => loadView(present()))

  app.get<{ Querystring: schemas.LoadChatsQuery }>('/load/chats', { schema: { querystring: schemas.loadChatsQuery } },
    ({ query: { business, customer } }) => ({
      chats: present().chats
        .filter(chat => (business === undefined || chat.business.phone === business) && (customer === undefined || chat.customer.phone === customer))
        .map(loadChatView),
    }))

  app.delete('/load', async () => {
    const load = present()
    await load.stop()
    return loadView(load)
  })

  app.addHook('onClose', async () => {
    await last?.stop().catch((problem: unknown) => { onProblem(problem as Error) })
  })
}
