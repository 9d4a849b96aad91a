import type { SeenContent } from '../content/read.js'

/** A message as the customer's screen shows it. */
export interface InboxMessage {
  readonly id: string
  /** The business' phone number. */
  readonly from: string
  /** Which of its devices wrote: 0 is the owner's phone, the others are linked devices. */
  readonly device: number
  /** Its words, or the caption. */
  readonly text: string | null
  readonly content: SeenContent
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What the customer's phone was told about a message that the customer sent. */
export interface Receipt {
  readonly id: string
  /** `delivery`, `inactive` (delivered, nobody looks at the chat), `read`, `retry` (could not be decrypted), ... */
  readonly type: string
  readonly at: number
}
