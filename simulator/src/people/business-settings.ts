/** How the phone of a business behaves towards its linked devices. */
export interface BusinessSettings {
  /** The phone is off: what linked devices ask of it waits until it is on. */
  offline: boolean
  /**
   * What it does when a linked device asks for a file again: it uploads it (`yes`), says that it has it no more (`not-found`), that it could
   * not read the request (`decryption-error`), that something else went wrong (`general-error`), or says something that nobody can read (`garbled`).
   */
  uploadsAgain: (typeof UPLOADS_AGAIN)[number]
  /** How it passes on a message that a linked device could not read: `never` says that it does not have it. */
  passesOn: (typeof PASSES_ON)[number]
}

export const UPLOADS_AGAIN = ['yes', 'not-found', 'decryption-error', 'general-error', 'garbled'] as const
export const PASSES_ON = ['once', 'twice', 'never'] as const

/** What a linked device asked of the phone. */
export interface PhoneRequest {
  readonly what: 'file' | 'message'
  /** The message's id. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
}
