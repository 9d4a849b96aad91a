import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SendCommand, SendResult } from '@kesher/contracts'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { buildHttp, type HttpSession } from '../../src/http/build.js'
import { createLogger } from '../../src/observability/logger.js'
import { Secrets } from '../../src/webhook/secrets.js'

const COMMAND: SendCommand = {
  version: 1, messageId: 'A1', chatJid: '111@lid', author: 'assistant', content: { kind: 'text', text: 'שלום' }, correlationId: 'c', ownerToken: 3,
}

function api(result: SendResult = { outcome: 'sent', messageId: 'A1', acknowledgedAt: 7 }): { readonly app: FastifyInstance; readonly sent: SendCommand[] } {
  const sent: SendCommand[] = []
  const session: HttpSession = {
    activeSends: 2,
    shown: undefined,
    askForCode: phone => Promise.resolve(phone === '972500000001'),
    status: () => ({ tenantId: 'shop', state: 'connected', connected: true, canSend: true, since: 5, phoneJid: '1@s.whatsapp.net' }),
    send: command => { sent.push(command); return Promise.resolve(result) },
  }
  const app = buildHttp({
    session: tenant => tenant === 'shop' ? session : tenant === 'pairing' ? { ...session, shown: { method: 'qr', qr: '2@x', expiresAt: 9 } }
      : tenant === 'typing' ? { ...session, shown: { method: 'code', code: 'ABCD1234', phone: '972500000001', expiresAt: 9 } } : undefined,
    restart: tenant => tenant === 'shop' ? 'busy' : tenant === 'pairing' ? 'restarting' : undefined,
    elsewhere: tenant => Promise.resolve(tenant === 'away' ? { state: 'connected', updatedAt: 4 } : undefined),
    health: () => ({ status: 'ok', sessions: 1, connected: 1 }),
    secrets: new Secrets(() => Promise.resolve({ current: 'new', previous: 'old' }), () => 0),
    logger: createLogger('silent'),
  })
  return { app, sent }
}

const get = async (url: string, secret: string | undefined = 'new'): Promise<LightMyRequestResponse> =>
  api().app.inject({ url, headers: secret === '' ? {} : { 'x-internal-secret': secret } })
const post = async (payload: unknown, { result, tenant = 'shop' }: { result?: SendResult; tenant?: string } = {}): Promise<LightMyRequestResponse> =>
  api(result).app.inject({
    method: 'POST', url: `/whatsapp/${tenant}/messages`, headers: { 'x-internal-secret': 'new', 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })

describe('the HTTP API', () => {
  it('tells its health to everybody, and nothing else without the secret', async () => {
    assert.deepEqual((await get('/health', '')).json(), { status: 'ok', sessions: 1, connected: 1 })
    for (const path of ['status', 'sending-status', 'qr', 'pairing-code']) {
      for (const secret of ['', 'wrong']) {
        const answer = await get(`/whatsapp/shop/${path}`, secret)
        assert.equal(answer.statusCode, 401)
        assert.equal(answer.json<{ error: string }>().error, 'bad_secret')
      }
      assert.notEqual((await get(`/whatsapp/shop/${path}`, 'old')).statusCode, 401)
    }
    const { app, sent } = api()
    const answer = await app.inject({ method: 'POST', url: '/whatsapp/shop/messages', payload: COMMAND })
    assert.equal(answer.statusCode, 401)
    assert.deepEqual(sent, [])
  })

  it('gives the pairing code, asks for one, and says why it cannot', async () => {
    assert.deepEqual((await get('/whatsapp/typing/pairing-code')).json(), { code: 'ABCD1234', phone: '972500000001', expiresAt: 9 })
    assert.equal((await get('/whatsapp/typing/qr')).statusCode, 404)
    const none = await get('/whatsapp/shop/pairing-code')
    assert.deepEqual([none.statusCode, none.json<{ error: string }>().error], [404, 'no_code'])
    const ask = async (phone: string, tenant = 'pairing'): Promise<number> => (await api().app.inject({
      method: 'POST', url: `/whatsapp/${tenant}/pairing-code`, headers: { 'x-internal-secret': 'new' }, payload: { phone },
    })).statusCode
    assert.equal(await ask('972500000001'), 202)
    assert.equal(await ask('972500000002'), 409)
    assert.equal(await ask('+972500000001'), 400)
    assert.equal(await ask('972500000001', 'away'), 409)
    assert.equal(await ask('972500000001', 'nobody'), 404)
  })

  it('tells a session\'s state, whether it is sending, and its QR code or why there is none', async () => {
    assert.equal((await get('/whatsapp/shop/status')).json<{ canSend: boolean }>().canSend, true)
    assert.deepEqual((await get('/whatsapp/shop/sending-status')).json(), { isSending: true, activeSends: 2 })
    assert.deepEqual((await get('/whatsapp/pairing/qr')).json(), { qr: '2@x', expiresAt: 9 })
    const none = await get('/whatsapp/shop/qr')
    assert.equal(none.statusCode, 404)
    assert.match(none.json<{ reason: string }>().reason, /connected/)
  })

  it('tells an unknown tenant from one that is held elsewhere', async () => {
    for (const path of ['status', 'sending-status', 'qr', 'pairing-code']) {
      const answer = await get(`/whatsapp/nobody/${path}`)
      assert.deepEqual([answer.statusCode, answer.json<{ error: string }>().error], [404, 'unknown_tenant'])
    }
    assert.equal((await post(COMMAND, { tenant: 'nobody' })).statusCode, 404)
    const away = (await get('/whatsapp/away/status')).json<{ connected: boolean; canSend: boolean }>()
    assert.deepEqual([away.connected, away.canSend], [false, false])
    const answer = await post(COMMAND, { tenant: 'away' })
    assert.deepEqual([answer.statusCode, answer.json<SendResult>().outcome], [409, 'not_owner'])
  })

  it('restarts a session, but not while it is sending', async () => {
    const restart = async (tenant: string): Promise<LightMyRequestResponse> =>
      api().app.inject({ method: 'POST', url: `/whatsapp/${tenant}/restart`, headers: { 'x-internal-secret': 'new' } })
    assert.equal((await restart('pairing')).statusCode, 202)
    const busy = await restart('shop')
    assert.deepEqual([busy.statusCode, busy.json<{ error: string }>().error], [409, 'busy'])
    assert.match(busy.json<{ reason: string }>().reason, /service busy/)
    assert.deepEqual([(await restart('away')).statusCode, (await restart('away')).json<{ error: string }>().error], [409, 'not_owner'])
    assert.equal((await restart('nobody')).statusCode, 404)
    assert.equal((await api().app.inject({ method: 'POST', url: '/whatsapp/pairing/restart' })).statusCode, 401)
  })

  it('gives each outcome of a send its status', async () => {
    const reason = 'because'
    const messageId = 'A1'
    const results: [number, SendResult][] = [
      [200, { outcome: 'sent', messageId, acknowledgedAt: 7 }],
      [504, { outcome: 'unknown', messageId, reason }],
      [422, { outcome: 'refused', messageId, reason, code: '463', permanent: true }],
      [503, { outcome: 'unavailable', messageId, reason, retryAfterMs: 5 }],
      [409, { outcome: 'not_owner', messageId, reason }],
      [410, { outcome: 'superseded', messageId, reason }],
    ]
    for (const [status, result] of results) {
      const answer = await post(COMMAND, { result })
      assert.equal(answer.statusCode, status)
      assert.deepEqual(answer.json(), result)
    }
  })

  it('refuses a body that is not the contract\'s, without bending it', async () => {
    const wrong: unknown[] = [
      {}, { ...COMMAND, version: 2 }, { ...COMMAND, ownerToken: '3' }, { ...COMMAND, chatJid: 'nobody' }, { ...COMMAND, messageId: 'a b' },
      { ...COMMAND, content: { kind: 'text' } }, { ...COMMAND, content: { kind: 'image', text: 'x' } }, { ...COMMAND, author: 'robot' },
      { ...COMMAND, content: { kind: 'text', text: 'x'.repeat(65_537) } },
    ]
    for (const body of wrong) {
      const answer = await post(body)
      assert.deepEqual([answer.statusCode, answer.json<{ error: string }>().error], [400, 'bad_body'], JSON.stringify(body).slice(0, 200))
    }
    assert.equal((await post('{')).statusCode, 400)
  })

  it('tolerates fields that it does not know, and text as long as the contract allows', async () => {
    assert.equal((await post({ ...COMMAND, future: true })).statusCode, 200)
    assert.equal((await post({ ...COMMAND, content: { kind: 'text', text: '\u0001'.repeat(65_536) } })).statusCode, 200)
  })

  it('refuses a body that is too large, and an address that there is not', async () => {
    const large = await post({ ...COMMAND, padding: 'x'.repeat(600_000) })
    assert.deepEqual([large.statusCode, large.json<{ error: string }>().error], [413, 'too_large'])
    assert.equal((await get('/whatsapp/shop/elsewhere')).json<{ error: string }>().error, 'not_found')
    assert.equal((await get('/whatsapp/No%20Tenant/status')).statusCode, 400)
  })
})
