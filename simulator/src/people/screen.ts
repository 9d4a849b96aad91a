import type { proto } from '@whiskeysockets/baileys'
import { MEDIA_TYPES } from '../content/content.js'
import { look } from '../content/look.js'
import { seenFile, textOf } from '../content/read.js'
import { NotFoundError } from '../errors.js'
import { BoundedMap, Journal } from '../journal.js'
import type { MediaStore } from '../media/media-store.js'
import type { Business } from './business.js'
import type { InboxMessage } from './inbox.js'
import type { LinkedDevice } from './linked-device.js'

/** What a customer's phone shows: each message once, however often it came. */
export class Screen {
  /** Distinct messages, in the order of their arrival. */
  readonly inbox = new Journal<InboxMessage>(5_000)
  readonly #shown = new BoundedMap<string, { readonly device: LinkedDevice | undefined; readonly message: proto.IMessage }>(10_000)
  readonly #media: MediaStore

  constructor(media: MediaStore) {
    this.#media = media
  }

  /** @param device that it came from; undefined for the owner's phone. */
  async show(business: Business, id: string, message: proto.IMessage, device?: LinkedDevice): Promise<void> {
    if (this.#shown.has(id)) return
    this.#shown.set(id, { device, message })
    this.inbox.append({
      id, from: business.phone, device: device?.number ?? 0, text: textOf(message), content: await look(message, this.#media), at: Date.now(),
    })
  }

  messageOf(id: string): proto.IMessage | undefined {
    return this.#shown.get(id)?.message
  }

  /** The linked device that sent a message; undefined when it was the owner's phone. @throws NotFoundError when it never arrived. */
  senderOf(id: string): LinkedDevice | undefined {
    const shown = this.#shown.get(id)
    if (!shown) throw new NotFoundError(`there is no message with id ${id} on this phone`)
    return shown.device
  }

  /**
   * The plain file of a message.
   * @throws NotFoundError when there is no such message, or it has no file; Error when the file is not as the message says.
   */
  async fileIn(id: string): Promise<{ readonly mimetype: string; readonly bytes: Buffer }> {
    const message = this.messageOf(id)
    const file = message && seenFile(message)
    if (!file) throw new NotFoundError(`there is no message with id ${id} and a file on this phone`)
    return { mimetype: file.mimetype, bytes: await this.#media.download(file.file, MEDIA_TYPES[file.kind]) }
  }
}
