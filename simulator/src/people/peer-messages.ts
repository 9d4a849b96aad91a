import { deflateSync } from 'node:zlib'
import { proto } from '@whiskeysockets/baileys'
import type { Identity } from './person.js'

/** What the phone of a business tells its own devices about customers. */

/**
 * What a real phone sends to a freshly linked device: chats, contacts and which LID is which phone number. Without it
 * Baileys holds events back for some 20 seconds.
 */
export function historySync(known: readonly { readonly phoneJid: string; readonly lidJid: string }[]): proto.IMessage {
  const part = { chunkOrder: 1, progress: 100 }
  const history = proto.HistorySync.encode({
    ...part, syncType: proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP, conversations: [],
    phoneNumberToLidMappings: known.map(({ phoneJid, lidJid }) => ({ pnJid: phoneJid, lidJid })),
  }).finish()
  return {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        ...part, syncType: proto.Message.HistorySyncType.INITIAL_BOOTSTRAP,
        initialHistBootstrapInlinePayload: deflateSync(history),
      },
    },
  }
}

/** Whose LID is whose phone number. */
export const lidMapping = (people: readonly Pick<Identity, 'phone' | 'lid'>[]): proto.IMessage => ({
  protocolMessage: {
    type: proto.Message.ProtocolMessage.Type.LID_MIGRATION_MAPPING_SYNC,
    lidMigrationMappingSyncMessage: {
      encodedMappingPayload: proto.LIDMigrationMappingSyncPayload.encode({
        pnToLidMappings: people.map(({ phone, lid }) => ({ pn: Number(phone), assignedLid: Number(lid) })),
      }).finish(),
    },
  },
})
