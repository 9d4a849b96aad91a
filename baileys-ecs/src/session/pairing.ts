import { getBinaryNodeChild, type AuthenticationCreds, type BinaryNode, type WASocket } from '@whiskeysockets/baileys'
import type { PairingOffer } from '@kesher/contracts'

/** What the phone can be linked with now. */
export type Shown =
  | { readonly method: 'qr'; readonly qr: string; readonly expiresAt: number }
  | { readonly method: 'code'; readonly code: string; readonly phone: string; readonly expiresAt: number }

/** How far the linking of a number came before its socket ended. */
export type PairingEnd = Shown['method'] | 'refused'

/** Link by a code for this number, in place of a QR code, if it is asked for before `until` (Unix milliseconds). */
export interface CodeWish {
  readonly phone: string
  readonly until: number
}

export interface PairingOptions {
  readonly wish: CodeWish | undefined
  /** How long a QR code is shown; 0: as Baileys does. */
  readonly qrMs: number
  /** How long a pairing code is shown. WhatsApp keeps a socket that is not linked for some 160 s, and the code with it. */
  readonly codeMs: number
  readonly now: () => number
  readonly changed: () => void
  /** The socket must end: WhatsApp refused the code (its status), or the code has expired (408). */
  readonly over: (code: number) => void
}

/** Baileys shows the first QR code for 60 s and each later one for 20 s. */
const FIRST_QR_MS = 60_000
const NEXT_QR_MS = 20_000
const EXPIRED = 408

/**
 * Baileys names the number (`creds.me`) as soon as a pairing code is asked for, and would log in with it at the next start, as if it
 * were linked. The phone's signature comes only when it is.
 */
export const isPaired = ({ account }: Pick<AuthenticationCreds, 'account'>): boolean => account !== undefined

/** What an event may tell: that something can be scanned or typed, not what. */
export const offerOf = ({ method, expiresAt }: Shown): PairingOffer => ({ method, expiresAt })

/** The linking of one socket of a number that is not linked: QR codes one after another, or one pairing code. */
export class Pairing {
  readonly #options: PairingOptions
  #socket: Pick<WASocket, 'requestPairingCode'> | undefined
  #shown: Shown | undefined
  #ready = false
  #qrCount = 0
  /** From the request on; QR codes are worth nothing any more, because Baileys changes the secret in them. */
  #code: { readonly phone: string; value?: string } | undefined
  #refused = false
  #expiry: NodeJS.Timeout | undefined

  constructor(options: PairingOptions) {
    this.#options = options
  }

  get shown(): Shown | undefined {
    return this.#shown
  }

  get end(): PairingEnd | undefined {
    return this.#refused ? 'refused' : this.#shown?.method
  }

  /** Baileys offers a QR code: from now on a device can be linked. */
  offered(socket: Pick<WASocket, 'requestPairingCode'>, qr: string): void {
    const { wish, now, qrMs } = this.#options
    this.#socket = socket
    const isFirst = !this.#ready
    this.#ready = true
    if (isFirst && wish !== undefined && wish.until > now()) void this.ask(wish.phone)
    if (this.#code !== undefined) return
    const lastsMs = qrMs > 0 ? qrMs : this.#qrCount++ === 0 ? FIRST_QR_MS : NEXT_QR_MS
    this.#show({ method: 'qr', qr, expiresAt: now() + lastsMs })
  }

  /** Asks WhatsApp for a pairing code. @returns false if nothing can be linked now, or another code was asked for */
  async ask(phone: string): Promise<boolean> {
    if (this.#socket === undefined || this.#code !== undefined) return this.#code?.phone === phone
    const code: { phone: string; value?: string } = { phone }
    this.#code = code
    this.#shown = undefined
    try {
      code.value = await this.#socket.requestPairingCode(phone)
      return true
    } catch {
      return false // the socket is gone, and says so itself
    }
  }

  /** A stanza of WhatsApp's. Baileys does not look at the answer to its request for a code; without `yes` the code is worth nothing. */
  heard(node: BinaryNode): void {
    const code = this.#code
    if (node.tag !== 'iq' || code?.value === undefined || this.#shown !== undefined) return
    if (node.attrs['type'] === 'error') {
      this.#refused = true
      this.#options.over(Number(getBinaryNodeChild(node, 'error')?.attrs['code'] ?? 400))
    } else if (getBinaryNodeChild(node, 'link_code_companion_reg') !== undefined) {
      const { now, codeMs, over } = this.#options
      this.#show({ method: 'code', code: code.value, phone: code.phone, expiresAt: now() + codeMs })
      this.#expiry = setTimeout(() => { over(EXPIRED) }, codeMs)
    }
  }

  stop(): void {
    clearTimeout(this.#expiry)
  }

  #show(shown: Shown): void {
    this.#shown = shown
    this.#options.changed()
  }
}
