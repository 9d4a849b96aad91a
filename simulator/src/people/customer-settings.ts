import type { Extras } from '../content/content.js'
import type { Addressing } from '../jids.js'

/** How a customer's phone behaves. */
export interface CustomerSettings {
  /** How the customer's messages name the customer; `lid` is what WhatsApp does today. */
  addressing: Addressing
  /** The customer's messages name both LID and phone; else only the one that they come by. */
  namesBoth: boolean
  /** Sends a read receipt for every message as it arrives. */
  sendsReadReceipts: boolean
  /** The phone is off: the server keeps what is sent to it. */
  offline: boolean
  /** For so many messages to come, the phone acts as if it could not decrypt, and asks for them again. */
  failDecrypt: number
  /** Sends a message again when the business asks with a retry receipt. */
  answersRetries: boolean
}

/**
 * Why only the phone of the business gets a message: `ad` (the first message after an advertisement, which linked devices ask the
 * phone for), `view-once` (which they are never given).
 */
export type Masked = (typeof MASKED)[number]
export const MASKED = ['ad', 'view-once'] as const

export interface SayOptions {
  /** Chosen freely; WhatsApp's apps choose a random one. */
  readonly id?: string
  /** Only for this message, instead of the customer's setting. */
  readonly addressing?: Addressing
  /** Breaks the ciphertext's authentication code, as a lost ratchet step would. */
  readonly corrupt?: boolean
  /** Linked devices of the business get the message without content. */
  readonly masked?: Masked
  /** Which of the customer's devices writes; 0 is the phone. */
  readonly device?: number
}

/** How a customer sends any content. */
export type SendOptions = SayOptions & Extras
