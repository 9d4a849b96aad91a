import { proto } from '@whiskeysockets/baileys'
import { seenFile } from '../content/read.js'
import { BoundedMap, Journal } from '../journal.js'
import type { MediaStore } from '../media/media-store.js'
import { readUploadRequest, uploadAnswer } from '../server/media-retry.js'
import { type Stanza, newMessageId } from '../stanza.js'
import type { BusinessSettings, PhoneRequest } from './business-settings.js'
import type { LinkedDevice } from './linked-device.js'

const { ProtocolMessage, PeerDataOperationRequestType: Operation } = proto.Message
const { ResultType } = proto.MediaRetryNotification

/** Sends a message of the account's own to one of its devices. */
type Tell = (device: LinkedDevice, message: proto.IMessage, attrs: Stanza['attrs']) => Promise<void>

/**
 * What a business' phone does for its linked devices: it has every message with its file, and passes on what a device could not
 * read or cannot load any more.
 */
export class OwnerPhone {
  readonly settings: BusinessSettings = { offline: false, uploadsAgain: 'yes', passesOn: 'once' }
  readonly requests = new Journal<PhoneRequest>(1_000)
  readonly #chats = new BoundedMap<string, proto.IWebMessageInfo>(10_000)
  readonly #media: MediaStore
  readonly #tell: Tell
  /** What was asked while the phone was off. */
  #kept: (() => Promise<void> | void)[] = []

  constructor(media: MediaStore, tell: Tell) {
    this.#media = media
    this.#tell = tell
  }

  /** @param chat the jid under which the phone has the chat. */
  remember(chat: string, id: string, fromMe: boolean, message: proto.IMessage): void {
    this.#chats.set(id, { key: { remoteJid: chat, fromMe, id }, message, messageTimestamp: Math.floor(Date.now() / 1000) })
  }

  async change(settings: Partial<BusinessSettings>): Promise<void> {
    Object.assign(this.settings, settings)
    if (this.settings.offline) return
    const kept = this.#kept
    this.#kept = []
    for (const answer of kept) await answer()
  }

  /** A device cannot load a file any more (a receipt of type `server-error`). */
  uploadAgain(device: LinkedDevice, receipt: Stanza): Promise<void> {
    const id = receipt.attrs.id ?? ''
    this.requests.append({ what: 'file', id, at: Date.now() })
    return this.#whenOn(() => {
      const message = this.#chats.get(id)?.message
      const file = message && seenFile(message)?.file
      const { uploadsAgain } = this.settings
      if (!file || uploadsAgain === 'not-found' || !readUploadRequest(receipt, file.mediaKey)) {
        device.deliver(uploadAnswer(device.business.phoneJid, receipt, { error: ResultType.NOT_FOUND }))
        return
      }
      const failure = { 'decryption-error': ResultType.DECRYPTION_ERROR, 'general-error': ResultType.GENERAL_ERROR }
      const notice = uploadsAgain === 'yes' || uploadsAgain === 'garbled'
        ? { stanzaId: id, result: ResultType.SUCCESS, directPath: this.#media.renew(file.directPath) }
        : { stanzaId: id, result: failure[uploadsAgain] }
      const key = uploadsAgain === 'garbled' ? Buffer.alloc(32, 5) : file.mediaKey
      device.deliver(uploadAnswer(device.business.phoneJid, receipt, { notice, key }))
    })
  }

  /** A device asks for messages that it got without content, or could not decrypt. */
  passOn(device: LinkedDevice, requestId: string, request: proto.Message.IPeerDataOperationRequestMessage): Promise<void> {
    const asked = (request.placeholderMessageResendRequest ?? []).map(({ messageKey }) => messageKey?.id ?? '')
    for (const id of asked) this.requests.append({ what: 'message', id, at: Date.now() })
    return this.#whenOn(async () => {
      const { passesOn } = this.settings
      const known = passesOn === 'never' ? [] : asked.flatMap(id => this.#chats.get(id) ?? [])
      for (let time = 0; time < (passesOn === 'twice' ? 2 : 1); time++) {
        await this.#tell(device, {
          protocolMessage: {
            type: ProtocolMessage.Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
            peerDataOperationRequestResponseMessage: {
              stanzaId: requestId, peerDataOperationRequestType: Operation.PLACEHOLDER_MESSAGE_RESEND,
              peerDataOperationResult: known.map(info => ({
                placeholderMessageResendResponse: { webMessageInfoBytes: proto.WebMessageInfo.encode(proto.WebMessageInfo.create(info)).finish() },
              })),
            },
          },
        }, { id: newMessageId(), category: 'peer' })
      }
    })
  }

  async #whenOn(answer: () => Promise<void> | void): Promise<void> {
    if (this.settings.offline) this.#kept.push(answer)
    else await answer()
  }
}
