/** Key layout of the gateway table: `docs/architecture.md`, "The gateway table". */

export interface Key {
  readonly pk: string
  readonly sk: string
}

const SESSION_PREFIX = 'SESSION#'

export const sessionKey = (tenantId: string): Key => ({ pk: SESSION_PREFIX + tenantId, sk: 'SESSION' })
/** What the phone can be linked with now: contracts `PairingRecord`. */
export const pairingKey = (tenantId: string): Key => ({ pk: SESSION_PREFIX + tenantId, sk: 'PAIRING' })
export const authPartition = (tenantId: string): string => `AUTH#${tenantId}`
export const archivePartition = (tenantId: string, at: number): string => `ARCHIVE#${tenantId}#${at}`
export const credsKey = (tenantId: string): Key => ({ pk: authPartition(tenantId), sk: 'CREDS' })
export const authKey = (tenantId: string, type: string, id: string): Key => ({ pk: authPartition(tenantId), sk: `${type}#${id}` })
export const journalPartition = (tenantId: string): string => `JOURNAL#${tenantId}`
export const journalSortKey = (receivedAt: number, id: string): string => `${String(receivedAt).padStart(15, '0')}#${id}`
export const sentKey = (tenantId: string, messageId: string): Key => ({ pk: `SENT#${tenantId}`, sk: messageId })
export const newChatsKey = (tenantId: string): Key => ({ pk: `PACE#${tenantId}`, sk: 'NEW_CHATS' })
export const CONTAINERS = 'CONTAINERS'
export const containerKey = (id: string): Key => ({ pk: CONTAINERS, sk: id })
export const CLIENT_VERSION_KEY: Key = { pk: 'SETTINGS', sk: 'CLIENT_VERSION' }
