import { proto } from '@whiskeysockets/baileys'
import type { ContactCard, MessageReceived, UnsupportedContent } from '@kesher/contracts'
import { cut, isLongText, isTooLarge, named, wireId } from './bounds.js'
import { mediaContent } from './media-file.js'
import { isKeysAlone, typeOf, unwrapped } from './unwrap.js'

export type Content = MessageReceived['content']

const ProtocolType = proto.Message.ProtocolMessage.Type
const MAX_CARDS = 20
const MAX_CARD_CHARACTERS = 8_192
const MAX_NAME_CHARACTERS = 256

/**
 * What a decrypted message says, or `undefined` if it is WhatsApp's own business between devices: keys, history, settings.
 * Those are no message of a person and are never forwarded. What is not understood is named.
 *
 * @param fromMe whether one of the business's devices wrote it: keys inside are written from the writer's side
 */
export function contentOf(message: proto.IMessage, fromMe: boolean): Content | undefined {
  const content = unwrapped(message)
  const found = content.protocolMessage ? amendment(content.protocolMessage) : plainContent(content, fromMe)
  return found !== undefined && isTooLarge(found) ? TOO_LARGE : found
}

export const TOO_LARGE: UnsupportedContent = { kind: 'unsupported', what: 'tooLarge' }
/** A message that came and could not be decrypted; it is asked for again and then comes under its own id. */
export const UNDECRYPTABLE: UnsupportedContent = { kind: 'unsupported', what: 'undecryptable' }

const unsupported = (what: string): UnsupportedContent => ({ kind: 'unsupported', what: cut(what, 128) })

/** An edit or a deletion; the other protocol messages are between devices. */
function amendment({ type, key, editedMessage }: proto.Message.IProtocolMessage): Content | undefined {
  const target = key?.id
  if (type === ProtocolType.REVOKE) return target ? { kind: 'deletion', targetId: wireId(target) } : unsupported('revokeWithoutTarget')
  if (type !== ProtocolType.MESSAGE_EDIT || !editedMessage) return undefined
  // Only of the plain kinds: an edit within an edit is nobody's, and nesting would have no end.
  const edited = unwrapped(editedMessage)
  const words = textOf(edited) ?? mediaContent(edited)?.caption
  if (!target || words === null || words === undefined) return unsupported('editedMessage')
  return isLongText(words) ? TOO_LARGE : { kind: 'edit', targetId: wireId(target), text: words.toWellFormed() }
}

const textOf = (content: proto.IMessage): string | undefined => content.conversation || content.extendedTextMessage?.text || undefined

function plainContent(content: proto.IMessage, fromMe: boolean): Content | undefined {
  const text = textOf(content)
  if (text !== undefined) return isLongText(text) ? TOO_LARGE : { kind: 'text', text: text.toWellFormed() }
  if (isKeysAlone(content)) return undefined
  const type = typeOf(content)
  return mediaContent(content) ?? place(content) ?? contacts(content) ?? choice(content) ?? reaction(content, fromMe)
    ?? unsupported(type ?? 'unknown') // a kind that is newer than this Baileys decodes to nothing at all
}

function place({ locationMessage, liveLocationMessage }: proto.IMessage): Content | undefined {
  const found = locationMessage ?? liveLocationMessage
  if (!found) return undefined
  const { degreesLatitude: latitude, degreesLongitude: longitude } = found
  const onEarth = typeof latitude === 'number' && typeof longitude === 'number' && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
  if (!onEarth) return unsupported('locationMessage')
  return {
    kind: 'location', latitude, longitude,
    ...named('name', locationMessage?.name ?? liveLocationMessage?.caption, MAX_NAME_CHARACTERS), ...named('address', locationMessage?.address, 1_024),
  }
}

function contacts({ contactMessage, contactsArrayMessage }: proto.IMessage): Content | undefined {
  const found = contactMessage ? [contactMessage] : contactsArrayMessage?.contacts ?? []
  const cards = found.slice(0, MAX_CARDS).map(card)
  const [first, ...rest] = cards
  if (first === undefined) return undefined
  const left = found.length - MAX_CARDS
  if (left > 0) rest[MAX_CARDS - 2] = { name: `... and ${left + 1} more`, vcard: '' }
  return { kind: 'contacts', contacts: [first, ...rest] as unknown as [ContactCard] }
}

function card({ displayName, vcard }: proto.Message.IContactMessage): ContactCard {
  // The picture in a card may be longer than all the rest.
  const plain = (vcard ?? '').replace(/^(?:PHOTO|LOGO)[;:].*(?:\r?\n[ \t].*)*\r?\n/gim, '')
  return { name: cut(displayName ?? '', MAX_NAME_CHARACTERS), vcard: cut(plain, MAX_CARD_CHARACTERS) }
}

/** The three generations of buttons, and lists. */
function choice(content: proto.IMessage): Content | undefined {
  const { buttonsResponseMessage: button, templateButtonReplyMessage: template, listResponseMessage: list, interactiveResponseMessage: interactive } = content
  if (button) return chosen(button.selectedButtonId, button.selectedDisplayText)
  if (template) return chosen(template.selectedId, template.selectedDisplayText)
  if (list) return chosen(list.singleSelectReply?.selectedRowId, list.title)
  return interactive ? chosen(idIn(interactive.nativeFlowResponseMessage?.paramsJson), interactive.body?.text) : undefined
}

function chosen(id: string | null | undefined, text: string | null | undefined): Content {
  const choiceId = cut(id ?? '', 256)
  return isLongText(text ?? '') ? TOO_LARGE : { kind: 'choice', choiceId, text: (text || choiceId).toWellFormed() }
}

function idIn(json: string | null | undefined): string {
  try {
    const { id } = JSON.parse(json ?? '{}') as { id?: unknown }
    return typeof id === 'string' ? id : ''
  } catch {
    return '' // a stranger's JSON; the words beside it say what was chosen
  }
}

function reaction({ reactionMessage }: proto.IMessage, fromMe: boolean): Content | undefined {
  if (!reactionMessage?.key?.id) return undefined
  const { key, text } = reactionMessage
  // `fromMe` of the key is said from the side of whoever reacts.
  return { kind: 'reaction', targetId: wireId(key.id ?? ''), targetFromMe: (key.fromMe === true) === fromMe, emoji: cut(text ?? '', 64) }
}
