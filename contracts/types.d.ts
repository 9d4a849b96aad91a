/* Generated from functions/shared/contracts/ by `make contracts`; do not edit. */

export type Event = (MessageReceived | MessageStatus | ConnectionUpdated | ContactsUpdated)
export type SendResult = (Sent | Unknown | Refused | Unavailable | NotOwner | Superseded)

/**
 * Where a message was written. For a direct chat `lid` and `phone_jid` are the two names of one person.
 */
export interface Chat {
kind: ("direct" | "group" | "status" | "newsletter" | "broadcast")
/**
 * The address that the message came by; an answer goes to this one.
 */
jid: string
lid?: (string | null)
phoneJid?: (string | null)
}
/**
 * The customer pressed a button or chose from a list.
 */
export interface ChoiceContent {
kind: "choice"
choiceId: string
text: string
}
/**
 * The state of a tenant's session has changed.
 */
export interface ConnectionUpdated {
version: 1
type: "connection.updated"
tenantId: string
correlationId: string
state: ("connecting" | "pairing" | "connected" | "disconnected" | "logged_out")
at: number
phoneJid?: (string | null)
/**
 * WhatsApp's or Baileys' status code of the end of a session, for example 401.
 */
code?: (number | null)
/**
 * The same for a person: what happened and what to do.
 */
reason?: (string | null)
/**
 * In the state `pairing`; a new event for each QR code or pairing code.
 */
pairing?: (PairingOffer | null)
}
/**
 * Something that the phone can be linked with now. What it is, is kept out of events: `PairingRecord` has it.
 */
export interface PairingOffer {
method: ("qr" | "code")
expiresAt: number
}
/**
 * Whether the owner has a person in the phone's address book. Names stay in the phone: nobody here needs them.
 */
export interface Contact {
/**
 * The address under which the phone keeps the contact; nearly always the phone number's.
 */
jid: string
/**
 * The person's other address, LID or phone number, if the phone says it.
 */
alias?: (string | null)
saved: boolean
}
/**
 * One card of an address book.
 */
export interface ContactCard {
name: string
vcard: string
}
/**
 * One or more cards of an address book.
 */
export interface ContactsContent {
kind: "contacts"
/**
 * @minItems 1
 * @maxItems 20
 */
contacts: [ContactCard, ...(ContactCard)[]]
}
/**
 * People whom the owner saved or removed. Events of one tenant come in order, perhaps repeated.
 */
export interface ContactsUpdated {
version: 1
type: "contacts.updated"
tenantId: string
correlationId: string
/**
 * When the gateway began to read this address book as a whole. A newer book replaces an older one: whom it does not
 * name is not saved.
 */
bookAt: number
/**
 * WhatsApp's number of the book's last change that is in here; of one book, a higher one is newer.
 */
revision: number
/**
 * @maxItems 200
 */
contacts: Contact[]
/**
 * Whether with this event all of the book up to `revision` has been told. False: more of it is coming.
 */
complete: boolean
}
/**
 * The writer deleted an earlier message for everyone.
 */
export interface DeletionContent {
kind: "deletion"
targetId: string
}
/**
 * The body of a message in either queue. It says where to look, never what happened: DynamoDB is the truth.
 */
export interface Doorbell {
version: 1
tenantId: string
conversationId: string
/**
 * Number of the customer's message that rings; in the outgoing queue, of the last message that the turn covered.
 */
seq: number
correlationId: string
}
/**
 * The writer changed the text (or the caption) of an earlier message.
 */
export interface EditContent {
kind: "edit"
targetId: string
text: string
}
/**
 * Any 4xx or 5xx of the webhook and the gateway.
 */
export interface ErrorAnswer {
/**
 * Stable, for programs: `bad_signature`, `bad_body`, `unknown_tenant`, `too_large`, ...
 */
error: string
/**
 * For a person: what is wrong and what to do.
 */
reason: string
}
/**
 * A message in one of the tenant's chats: a customer's, or (`from_me`) one written by the business itself.
 */
export interface MessageReceived {
version: 1
type: "message.received"
tenantId: string
/**
 * Follows the message from phone to phone, through every log line.
 */
correlationId: string
chat: Chat
messageId: string
fromMe: boolean
senderName?: (string | null)
/**
 * WhatsApp's own stamp; whole seconds.
 */
sentAt: number
/**
 * When the gateway had the message in its journal.
 */
receivedAt: number
/**
 * True if it waited on WhatsApp's server while no session was connected.
 */
backlog: boolean
content: (TextContent | MediaContent | LocationContent | ContactsContent | ChoiceContent | ReactionContent | EditContent | DeletionContent | UnsupportedContent)
quoted?: (Quoted | null)
/**
 * The chat's timer for disappearing messages, if it has one; an answer carries the same.
 */
disappearingSeconds?: (number | null)
}
/**
 * A text message, or the text of a reply to one.
 */
export interface TextContent {
kind: "text"
text: string
}
/**
 * A picture, a film, a sound, a file or a sticker; the bytes are an object of the media bucket.
 */
export interface MediaContent {
kind: ("image" | "video" | "audio" | "document" | "sticker")
objectKey?: (string | null)
/**
 * Why there is no object, for a person: too large, no longer on WhatsApp's servers, damaged.
 */
missing?: (string | null)
/**
 * MIME type as the sender claims it, for example `image/jpeg`.
 */
mediaType: string
bytes?: (number | null)
/**
 * Of the object's bytes, in hexadecimal.
 */
sha256?: (string | null)
caption?: (string | null)
/**
 * As the sender calls it; a name to show, never a path to use.
 */
fileName?: (string | null)
seconds?: (number | null)
/**
 * True for a sound that was recorded as a voice message.
 */
voice?: boolean
}
/**
 * A point on the map, in degrees (WGS 84).
 */
export interface LocationContent {
kind: "location"
latitude: number
longitude: number
name?: (string | null)
address?: (string | null)
}
/**
 * An emoji put on a message, or taken from it.
 */
export interface ReactionContent {
kind: "reaction"
targetId: string
/**
 * True if the business wrote the message that it is on.
 */
targetFromMe: boolean
/**
 * Empty when the reaction is withdrawn.
 */
emoji: string
}
/**
 * Something that this version does not understand; recorded as such, never dropped silently.
 */
export interface UnsupportedContent {
kind: "unsupported"
/**
 * WhatsApp's name of the message type, for example `pollCreationMessage`, or `undecryptable`.
 */
what: string
}
/**
 * The earlier message that a message answers.
 */
export interface Quoted {
messageId: string
/**
 * True if the business wrote it.
 */
fromMe: boolean
/**
 * Its beginning, if it was a text.
 */
text?: (string | null)
}
/**
 * What WhatsApp says of a message that we sent. May come late, repeated and in any order.
 */
export interface MessageStatus {
version: 1
type: "message.status"
tenantId: string
correlationId: string
chat: Chat
messageId: string
status: ("sent" | "delivered" | "read")
at: number
}
/**
 * The webhook's 2xx: the event is stored (or needs no storing), the gateway may forget it.
 */
export interface EventAnswer {
result: ("accepted" | "duplicate" | "ignored")
reason?: (string | null)
}
/**
 * `GET /health`, the one call without the internal secret.
 */
export interface GatewayHealth {
status: ("ok" | "draining")
sessions: number
connected: number
}
/**
 * `GET` and `POST /whatsapp/{tenant}/pairing-code`: what is typed on the phone under "Linked devices".
 */
export interface LinkCode {
code: string
phone: string
expiresAt: number
}
/**
 * `POST /whatsapp/{tenant}/pairing-code`: link by a code that is typed on the phone, in place of a QR code.
 */
export interface LinkCodeRequest {
phone: string
}
/**
 * HTTP 409: another container owns the session; nothing was sent. Look the owner up again.
 */
export interface NotOwner {
outcome: "not_owner"
messageId: string
reason: string
}
/**
 * `GET /whatsapp/{tenant}/qr`: what the owner's phone scans under "Linked devices".
 */
export interface PairingCode {
qr: string
expiresAt: number
}
/**
 * The row `pk = SESSION#<tenant>`, `sk = PAIRING` of the gateway table, there while a phone can be linked.
 * 
 * Either `qr` or `code`. The row has the table's time to live as well, but that is coarse: `valid_until` counts.
 */
export interface PairingRecord {
tenantId: string
qr?: (string | null)
code?: (string | null)
phone?: (string | null)
validUntil: number
}
/**
 * HTTP 422: WhatsApp refused the message.
 */
export interface Refused {
outcome: "refused"
messageId: string
/**
 * The `error` attribute of WhatsApp's acknowledgement, for example `463`.
 */
code: string
reason: string
/**
 * True: never repeat it. Repeating a 463 makes the restriction worse (Baileys #2688).
 */
permanent: boolean
/**
 * When the restriction ends, if WhatsApp named it.
 */
until?: (number | null)
}
/**
 * `POST /whatsapp/{tenant}/messages`. Idempotent by `message_id`: repeat it with the same id, for ever.
 */
export interface SendCommand {
version: 1
messageId: string
chatJid: string
/**
 * An assistant's message gives way to the owner's; a person's never does.
 */
author: ("assistant" | "person")
content: (TextContent | MediaContent | LocationContent | ContactsContent | ReactionContent)
quoted?: (Quoted | null)
/**
 * The chat's timer for disappearing messages.
 */
disappearingSeconds?: (number | null)
/**
 * The customer's messages that this one answers: they are marked as read before it is typed.
 * 
 * @maxItems 50
 */
answers?: string[]
/**
 * When the newest of them was written; the time since then counts as time spent typing.
 */
answeredAt?: (number | null)
correlationId: string
/**
 * The fencing token read with the session's address; another one in force means that the session has moved.
 */
ownerToken: number
}
/**
 * HTTP 200: WhatsApp's server acknowledged the message.
 */
export interface Sent {
outcome: "sent"
messageId: string
acknowledgedAt: number
}
/**
 * HTTP 504: it may or may not have gone out. Ask again with the same id; never with another.
 */
export interface Unknown {
outcome: "unknown"
messageId: string
reason: string
}
/**
 * HTTP 503: the session is not connected here, or sends as much as it may; nothing was sent.
 */
export interface Unavailable {
outcome: "unavailable"
messageId: string
reason: string
retryAfterMs: number
/**
 * True: the limits on messages a minute or new chats a day hold it back, and `retry_after_ms` is when they end.
 */
paced?: boolean
}
/**
 * HTTP 410: the business's own phone wrote in this chat before the assistant's message was on the wire.
 * 
 * Nothing was sent. Ask again once the webhook has that message: the claim's check of the epoch then says whether a
 * person took over, or it was an automatic text, which only the profile knows.
 */
export interface Superseded {
outcome: "superseded"
messageId: string
reason: string
}
/**
 * `GET /whatsapp/{tenant}/sending-status`: while `is_sending`, a restart must wait.
 */
export interface SendingStatus {
isSending: boolean
activeSends: number
}
/**
 * The row `pk = SESSION#<tenant>`, `sk = SESSION` of the gateway table; attributes are named as on the wire.
 * 
 * Python writes `desired*` and nothing else; the gateway writes everything else and never `desired*`.
 */
export interface SessionRecord {
tenantId: string
desired: ("linked" | "stopped" | "unlinked")
/**
 * Raised to ask for a restart.
 */
desiredGeneration?: number
/**
 * Base URL of the container that holds the socket.
 */
ownerUrl?: (string | null)
/**
 * Fencing token: raised by every claim, checked by every write of auth state and journal.
 */
ownerToken?: number
state?: (("connecting" | "pairing" | "connected" | "disconnected" | "logged_out") | null)
updatedAt?: (number | null)
/**
 * Link by a pairing code for this number, not by QR codes, until `desired_phone_until`: each one rings there.
 */
desiredPhone?: (string | null)
desiredPhoneUntil?: (number | null)
/**
 * The `desired_generation` that the owner has acted on; older news are from before.
 */
generation?: (number | null)
code?: (number | null)
reason?: (string | null)
/**
 * The linked number.
 */
phoneJid?: (string | null)
}
/**
 * `GET /whatsapp/{tenant}/status`.
 */
export interface SessionStatus {
tenantId: string
state: ("connecting" | "pairing" | "connected" | "disconnected" | "logged_out")
connected: boolean
/**
 * True only if a socket is open, its login is complete, the first backlog is through, and WhatsApp's server has
 * answered something of ours within the gateway's `SILENCE_MS`.
 */
canSend: boolean
/**
 * When WhatsApp's server last answered something of ours: an acknowledgement, a query, a ping.
 */
answeredAt?: (number | null)
/**
 * While WhatsApp lets this number begin no new chats (463): when that ends. Existing chats go on.
 */
restrictedUntil?: (number | null)
phoneJid?: (string | null)
code?: (number | null)
reason?: (string | null)
pairing?: (PairingOffer | null)
since: number
}
