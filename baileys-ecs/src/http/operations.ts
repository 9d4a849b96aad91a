/** What each route takes and answers, as Fastify checks it and as `openapi.json` says it. */
import { ref } from './schemas.js'

const TENANT_PARAMS = {
  type: 'object', required: ['tenant'],
  properties: { tenant: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$', description: 'The business, for example `business_1`.' } },
} as const

const answer = (model: string, description: string): object => ({ description, ...ref(model) })

/** Errors that every route of a tenant has. */
const ERRORS = {
  400: answer('ErrorAnswer', '`bad_body` or `bad_request`: the tenant\'s name or the body is not what the contract says.'),
  401: answer('ErrorAnswer', '`bad_secret`: the header is missing or wrong.'),
  404: answer('ErrorAnswer', '`unknown_tenant`: there is no session row.'),
  500: answer('ErrorAnswer', '`internal`: the gateway failed; its log says why.'),
} as const
const BODY_ERRORS = { ...ERRORS, 413: answer('ErrorAnswer', '`too_large`: the body has more than 512 KiB.') } as const

const SESSION = { params: TENANT_PARAMS, security: [{ internalSecret: [] }] } as const

export const OPERATIONS = {
  health: {
    operationId: 'health', tags: ['container'], security: [],
    summary: 'Whether this container works, and how many sessions it holds',
    description: 'The one call without the secret. `draining` from SIGTERM on.',
    response: { 200: answer('GatewayHealth', 'It works.') },
  },
  status: {
    ...SESSION, operationId: 'status', tags: ['session'], summary: 'The state of a session, and whether it can send',
    response: { ...ERRORS, 200: answer('SessionStatus', 'As this container knows it; one that is held elsewhere as its row says.') },
  },
  sendingStatus: {
    ...SESSION, operationId: 'sendingStatus', tags: ['session'], summary: 'Whether messages are on their way, so that a restart must wait',
    response: { ...ERRORS, 200: answer('SendingStatus', 'Sends under way in this container.') },
  },
  qr: {
    ...SESSION, operationId: 'qr', tags: ['linking'], summary: 'The QR code that the owner\'s phone scans now',
    response: { ...ERRORS, 200: answer('PairingCode', 'It may be scanned until `expiresAt`.'), 404: answer('ErrorAnswer', '`no_qr`, with the reason why there is none, or `unknown_tenant`.') },
  },
  pairingCode: {
    ...SESSION, operationId: 'pairingCode', tags: ['linking'], summary: 'The code that the owner types on the phone now',
    response: { ...ERRORS, 200: answer('LinkCode', 'It may be typed until `expiresAt`.'), 404: answer('ErrorAnswer', '`no_code`, with the reason why there is none, or `unknown_tenant`.') },
  },
  askForPairingCode: {
    ...SESSION, operationId: 'askForPairingCode', tags: ['linking'], summary: 'Asks for a code to type on the phone, instead of a QR code',
    body: ref('LinkCodeRequest'),
    response: {
      ...BODY_ERRORS, 202: answer('SessionStatus', 'Asked for; the code follows.'),
      409: answer('ErrorAnswer', '`not_pairing`: nothing can be linked now. `not_owner`: another container holds the session.'),
    },
  },
  send: {
    ...SESSION, operationId: 'send', tags: ['messages'], summary: 'Sends a message, or says what became of it',
    description: 'Idempotent by `messageId`: repeat it with the same id, for ever. 200 means that WhatsApp\'s server acknowledged it.',
    body: ref('SendCommand'),
    response: {
      ...BODY_ERRORS,
      200: answer('Sent', 'WhatsApp\'s server has it.'),
      409: answer('NotOwner', 'Another container owns the session; nothing was sent. Look the owner up again.'),
      410: answer('Superseded', 'The owner wrote in this chat first; nothing was sent.'),
      422: answer('Refused', 'WhatsApp refused it; `permanent` says whether it may ever be repeated.'),
      503: answer('Unavailable', 'The session cannot send now; nothing was sent.'),
      504: answer('Unknown', 'It may or may not have gone out. Ask again with the same id, never with another.'),
    },
  },
  restart: {
    ...SESSION, operationId: 'restart', tags: ['session'], summary: 'Asks for a new connection to WhatsApp',
    response: {
      ...ERRORS, 202: answer('SendingStatus', 'It restarts.'),
      409: answer('ErrorAnswer', '`busy`: messages are on their way. `stopped`: the session is not wanted to run. `not_owner`: another container holds it.'),
    },
  },
} as const
