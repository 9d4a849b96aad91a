import { randomBytes } from 'node:crypto'
import { encodeSyncdPatch, makeLtHashGenerator, newLTHashState, proto, type LTHashState } from '@whiskeysockets/baileys'
import type { MediaStore } from '../media/media-store.js'
import { type Stanza, leaf } from '../stanza.js'

/** The part of an account's state that holds the phone's contacts. */
export const CONTACTS = 'critical_unblock_low'

/** A person as the owner saved them. */
export interface SavedContact {
  readonly phoneJid: string
  /** Left out when the phone does not know it. */
  readonly lidJid?: string
  readonly name: string
}

type Operation = proto.SyncdMutation.SyncdOperation
const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation

/** A server gives so many changes at once and says that there are more. */
const PATCHES_AT_ONCE = 20
/** Changes that are kept; a device that is further behind gets everything anew. */
const KEPT_PATCHES = 500

interface Patch {
  readonly version: number
  readonly bytes: Uint8Array
}

/**
 * The contacts of a business' phone as its linked devices learn of them: "app state", a list of changes that the server
 * keeps encrypted and numbered, with a snapshot of everything for those who are new. Only the account's own devices
 * have the key.
 */
export class AddressBook {
  readonly #keyId = randomBytes(6)
  readonly #keyData = { keyData: randomBytes(32), timestamp: Date.now(), fingerprint: { rawId: 1, currentIndex: 0, deviceIndexes: [0] } }
  #state: LTHashState = newLTHashState()
  #snapshotMac: Uint8Array = new Uint8Array()
  readonly #records = new Map<string, proto.ISyncdRecord>()
  readonly #contacts = new Map<string, SavedContact>()
  #patches: Patch[] = []

  constructor(private readonly media: MediaStore) {}

  get version(): number {
    return this.#state.version
  }

  contacts(): SavedContact[] {
    return [...this.#contacts.values()]
  }

  /** What the phone gives to a device, so that it can read the contacts. */
  keyShare(): proto.IMessage {
    return {
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
        appStateSyncKeyShare: { keys: [{ keyId: { keyId: this.#keyId }, keyData: this.#keyData }] },
      },
    }
  }

  /** Saves somebody, or renames them. */
  async save(contact: SavedContact): Promise<void> {
    await this.#change(SET, contact)
    this.#contacts.set(contact.phoneJid, contact)
  }

  async remove(phoneJid: string): Promise<void> {
    const contact = this.#contacts.get(phoneJid)
    if (contact === undefined) return
    await this.#change(REMOVE, contact)
    this.#contacts.delete(phoneJid)
  }

  /** Saves many at once, as a phone does that gets its contacts back from a backup: devices read everything anew. */
  async restore(contacts: readonly SavedContact[]): Promise<void> {
    const hash = makeLtHashGenerator(this.#state)
    for (const contact of contacts) {
      const { record } = await this.#encode(SET, contact, newLTHashState())
      hash.mix(macsOf(record))
      this.#keep(record)
      this.#contacts.set(contact.phoneJid, contact)
    }
    this.#state = { ...hash.finish(), version: this.#state.version + contacts.length }
    this.#patches = []
    const [any] = contacts
    if (any !== undefined) await this.save(any) // brings the right code of the whole
    this.#patches = []
  }

  /** The `collection` of an answer to `w:sync:app:state`, for a device that has `version` (0: nothing). */
  async collection(version: number, wantsSnapshot: boolean): Promise<Stanza> {
    const attrs = { name: CONTACTS, version: String(this.version) }
    if (this.version === 0) return { tag: 'collection', attrs: { ...attrs, version: String(version) }, content: [] }
    const behind = version + 1 < (this.#patches[0]?.version ?? this.version + 1)
    if (version < this.version && (wantsSnapshot || behind)) {
      return { tag: 'collection', attrs, content: [leaf('snapshot', await this.#upload(this.#snapshot()))] }
    }
    const newer = this.#patches.filter(patch => patch.version > version)
    const given = newer.slice(0, PATCHES_AT_ONCE)
    return {
      tag: 'collection', attrs: { ...attrs, ...(given.length < newer.length && { has_more_patches: 'true' }) },
      content: [{ tag: 'patches', attrs: {}, content: given.map(({ bytes }) => leaf('patch', bytes)) }],
    }
  }

  async #change(operation: Operation, contact: SavedContact): Promise<void> {
    const { record, patch, state } = await this.#encode(operation, contact, this.#state)
    const index = indexOf(record)
    if (operation === REMOVE) {
      // Baileys' encoder keeps what it has just taken out.
      state.indexValueMap = Object.fromEntries(Object.entries(state.indexValueMap).filter(([mac]) => mac !== index))
      this.#records.delete(index)
    } else {
      this.#keep(record)
    }
    this.#state = state
    this.#snapshotMac = patch.snapshotMac ?? new Uint8Array()
    const { version } = state
    this.#patches.push({ version, bytes: proto.SyncdPatch.encode({ ...patch, version: { version } }).finish() })
    if (this.#patches.length > KEPT_PATCHES) this.#patches.shift()
  }

  async #encode(
    operation: Operation, { phoneJid, lidJid, name }: SavedContact, state: LTHashState,
  ): Promise<{ readonly record: proto.ISyncdRecord; readonly patch: proto.ISyncdPatch; readonly state: LTHashState }> {
    const contactAction = { fullName: name, firstName: name.split(' ')[0] ?? name, saveOnPrimaryAddressbook: true, ...(lidJid !== undefined && { lidJid }) }
    const encoded = await encodeSyncdPatch(
      // A removal carries the contact's last value, too: only its operation tells the two apart.
      { type: CONTACTS, index: ['contact', phoneJid], syncAction: { timestamp: Date.now(), contactAction }, apiVersion: 2, operation },
      this.#keyId.toString('base64'), state, () => Promise.resolve(proto.Message.AppStateSyncKeyData.fromObject(this.#keyData)),
    )
    const record = encoded.patch.mutations?.[0]?.record
    if (!record) throw new Error('Baileys encoded a change without a record')
    return { record, patch: encoded.patch, state: encoded.state }
  }

  #keep(record: proto.ISyncdRecord): void {
    this.#records.set(indexOf(record), record)
  }

  #snapshot(): Uint8Array {
    return proto.SyncdSnapshot.encode({
      version: { version: this.version }, records: [...this.#records.values()], mac: this.#snapshotMac, keyId: { id: this.#keyId },
    }).finish()
  }

  async #upload(bytes: Uint8Array): Promise<Uint8Array> {
    const { fileLength, ...file } = await this.media.upload(bytes, 'md-app-state')
    return proto.ExternalBlobReference.encode({ ...file, fileSizeBytes: fileLength }).finish()
  }
}

const indexOf = (record: proto.ISyncdRecord): string => Buffer.from(record.index?.blob ?? []).toString('base64')

const macsOf = (record: proto.ISyncdRecord): { indexMac: Uint8Array; valueMac: Uint8Array; operation: Operation } => ({
  indexMac: record.index?.blob ?? new Uint8Array(), valueMac: record.value?.blob?.slice(-32) ?? new Uint8Array(), operation: SET,
})
