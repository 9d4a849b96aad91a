import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { MessageReceived, SendCommand } from '@kesher/contracts'
import { ConflictError, type Content, type SendOptions } from '@kesher/simulator'
import type { Random } from '../../src/concurrency/backoff.js'
import { eventually } from './eventually.js'
import type { Ledger, Party } from './ledger.js'

/** What a conversation needs of the world around it. */
export interface Stage {
  readonly ledger: Ledger
  readonly random: Random
  /** Mean time between two acts of a person, in milliseconds. */
  readonly thinkMs: number
  /** Sends until it is acknowledged, has given way, or never will be. */
  readonly answer: (party: Party, content: SendCommand['content'], more: Partial<SendCommand>) => Promise<void>
  /** A file that lies in the bucket, to be sent. */
  readonly file: SendCommand['content']
}

const chance = (random: Random, share: number): boolean => random() < share
const pick = <T>(random: Random, choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
const newId = (): string => `3A${randomBytes(9).toString('hex').toUpperCase()}`

const TEXTS = [
  'Hi, are you open tomorrow?', 'How much is a haircut for a child?', 'אפשר לקבוע תור ליום חמישי אחרי הצהריים?', 'Great, thanks! 👍', 'Can I move my appointment to next week?',
  'I am looking for something for my mother, she is turning seventy and does not like flowers. Do you have anything that could be delivered on the same day, before five?',
  'כן', 'ok', 'Where can I park?', 'Is it possible to pay by card?',
]
const ANSWERS = [
  'Yes, we are open from nine to seven.', 'A haircut for a child is 60 ₪ and takes half an hour. Would Thursday at 16:30 suit you?', 'קבעתי לך תור ליום חמישי ב-16:30. נתראה!',
  'You can park behind the building; the first hour is free. Tell the guard that you come to us, and he opens the gate for you. If it is full, there is another place across the street.',
]
const PICTURE_BYTES = 60_000
const DOCUMENT_BYTES = 150_000

/** What is not a plain text, how often, and as what the webhook has it. */
const OTHERS: readonly { readonly share: number; readonly kind: MessageReceived['content']['kind']; readonly content: Content }[] = [
  { share: 0.06, kind: 'image', content: { kind: 'image', caption: 'like this one', size: PICTURE_BYTES } },
  { share: 0.05, kind: 'audio', content: { kind: 'voice', size: PICTURE_BYTES / 3, seconds: 8 } },
  { share: 0.02, kind: 'document', content: { kind: 'document', fileName: 'order.pdf', size: DOCUMENT_BYTES } },
  { share: 0.01, kind: 'sticker', content: { kind: 'sticker' } },
  { share: 0.01, kind: 'location', content: { kind: 'location', latitude: 32.07, longitude: 34.77, name: 'home' } },
  { share: 0.01, kind: 'contacts', content: { kind: 'contacts', contacts: [{ name: 'Noa', phone: '972501112233' }] } },
  { share: 0.02, kind: 'choice', content: { kind: 'button-reply', id: 'yes', text: 'Yes' } },
  { share: 0.005, kind: 'unsupported', content: { kind: 'poll', question: 'When?', options: ['today', 'tomorrow'] } },
]
const SHARE = {
  quote: 0.1, corrupt: 0.01, edit: 0.03, deletion: 0.02, reaction: 0.06, typing: 0.5, byPhone: 0.05, retried: 0.01,
  answeredByOwner: 0.05, answerIsFile: 0.04, answerIsPlace: 0.03, answerReacts: 0.04, answerQuotes: 0.1,
} as const
/** A customer writes one to three messages, is answered, and so on. */
const TURNS = [1, 2, 2, 3] as const
const BURST = [1, 1, 2, 3] as const

/** One customer's talk with one business: every kind of message, both ways. Resolves when the last one is on its way. */
export async function converse(stage: Stage, party: Party): Promise<void> {
  const { random, thinkMs, ledger, answer } = stage
  const { business, customer } = party
  const pause = (): Promise<void> => delay(thinkMs * (0.5 + random()))
  if (chance(random, SHARE.retried)) customer.settings.failDecrypt = 1
  for (let turn = pick(random, TURNS); turn > 0; turn--) {
    const asked: string[] = []
    for (let more = pick(random, BURST); more > 0; more--) {
      if (chance(random, SHARE.typing)) customer.type(business)
      asked.push(await say(stage, party, asked.at(-1)))
      await pause()
    }
    const last = asked.at(-1) ?? ''
    if (chance(random, SHARE.answeredByOwner)) {
      await business.say(customer, 'I will call you in a minute.')
      return // a person speaks now
    }
    // An assistant answers what it was told: a message that is marked as read is no longer WhatsApp's to deliver.
    await eventually('the question at the webhook', () => ledger.hasHeard(party, asked))
    const answeredAt = Date.now() - Math.round(thinkMs)
    await answer(party, answerOf(stage, last), {
      answers: asked, answeredAt, ...(chance(random, SHARE.answerQuotes) ? { quoted: { messageId: last, fromMe: false, text: 'this' } } : {}),
    })
    await pause()
    const [seen] = customer.inbox.after().slice(-1)
    if (seen !== undefined && chance(random, SHARE.reaction)) {
      const id = newId()
      ledger.said(party, id, 'reaction')
      await customer.sendContent(business, { kind: 'reaction', target: seen.id, emoji: '❤️' }, { id })
    }
  }
}

function answerOf({ random, file }: Stage, target: string): SendCommand['content'] {
  if (chance(random, SHARE.answerIsFile)) return file
  if (chance(random, SHARE.answerIsPlace)) return { kind: 'location', latitude: 32.08, longitude: 34.78, name: 'The shop', address: 'Herzl 1' }
  if (chance(random, SHARE.answerReacts)) return { kind: 'reaction', targetId: target, targetFromMe: false, emoji: '👍' }
  return { kind: 'text', text: pick(random, ANSWERS) }
}

/** A message of the customer, perhaps changed or taken back at once. @returns its id */
async function say({ random, ledger }: Stage, party: Party, before: string | undefined): Promise<string> {
  const { business, customer } = party
  const id = newId()
  const options: SendOptions = {
    id, corrupt: chance(random, SHARE.corrupt), ...(chance(random, SHARE.byPhone) ? { addressing: 'phone' as const } : {}),
    ...(before !== undefined && chance(random, SHARE.quote) ? { quote: { id: before } } : {}),
  }
  let at = random()
  const other = OTHERS.find(({ share }) => (at -= share) < 0)
  const text = pick(random, TEXTS)
  ledger.said(party, id, other?.kind ?? text)
  await customer.sendContent(business, other?.content ?? { kind: 'text', text }, options)
  if (other !== undefined || options.corrupt === true) return id
  if (chance(random, SHARE.edit)) await amend(ledger, party, `${text} (please)`, { kind: 'edit', target: id, text: `${text} (please)` })
  else if (chance(random, SHARE.deletion)) await amend(ledger, party, 'deletion', { kind: 'delete', target: id })
  return id
}

async function amend(ledger: Ledger, party: Party, what: string, content: Content): Promise<void> {
  const id = newId()
  ledger.said(party, id, what)
  await party.customer.sendContent(party.business, content, { id })
}

/** Ends the number's socket from outside, if there is one this moment. */
export function endSocket({ business }: Party, how: Parameters<Party['business']['disconnect']>[0]): void {
  try {
    business.disconnect(how)
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error // it is connecting again already
  }
}
