import { proto, writeRandomPadMax16 } from '@whiskeysockets/baileys'
import {
  GroupCipher, GroupSessionBuilder, SenderKeyName, SenderKeyRecord,
} from '@whiskeysockets/baileys/lib/Signal/Group/index.js'

/**
 * One phone's keys for the groups in which it writes. A message is encrypted once for all members under the group's sender key; each
 * of them gets that key first, in a message of its own.
 */
export class SenderKeys {
  readonly #records = new Map<string, SenderKeyRecord>()
  readonly #told = new Set<string>()

  /** @returns the key as it is told to a member that does not have it; undefined when this one was told before. */
  async distributionFor(group: string, member: string): Promise<proto.IMessage | undefined> {
    const told = `${group} ${member}`
    if (this.#told.has(told)) return undefined
    this.#told.add(told)
    const key = await new GroupSessionBuilder(this.#store).create(nameOf(group))
    return { senderKeyDistributionMessage: { groupId: group, axolotlSenderKeyDistributionMessage: key.serialize() } }
  }

  async encrypt(group: string, message: proto.IMessage): Promise<Uint8Array> {
    return new GroupCipher(this.#store, nameOf(group)).encrypt(writeRandomPadMax16(proto.Message.encode(message).finish()))
  }

  readonly #store = {
    loadSenderKey: (name: SenderKeyName) => Promise.resolve(this.#records.get(name.toString()) ?? new SenderKeyRecord()),
    storeSenderKey: (name: SenderKeyName, record: SenderKeyRecord) => {
      this.#records.set(name.toString(), record)
      return Promise.resolve()
    },
  }
}

/** Under which name we keep the key is our own affair. */
const nameOf = (group: string): SenderKeyName => new SenderKeyName(group, { id: 'self', deviceId: 0, toString: () => 'self.0' })
