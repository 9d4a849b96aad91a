import { setImmediate } from 'node:timers/promises'
import {
  decodeSyncdMutations, downloadExternalPatch, extractSyncdPatches, getBinaryNodeChild, getBinaryNodeChildren, newLTHashState, proto, S_WHATSAPP_NET,
  type BinaryNode, type WAPatchName,
} from '@whiskeysockets/baileys'
import type { Mutation } from './mutation.js'

/** The part of an account's state in which WhatsApp keeps the phone's contacts. */
export const CONTACTS: WAPatchName = 'critical_unblock_low'

export type KeyOf = Parameters<typeof decodeSyncdMutations>[2]

/** What the server had to say. */
export interface Part {
  /** Everything is in it, not only what came after the version that was asked from. */
  readonly whole: boolean
  readonly version: number
  readonly mutations: readonly Mutation[]
  /** There is more to be asked for. */
  readonly more: boolean
}

/** The server will not give the collection, or not from this version. */
export class CollectionRefusedError extends Error {
  override readonly name = 'CollectionRefusedError'
  constructor(code: string) {
    super(`WhatsApp does not give the phone's contacts (${code}); asking for all of them again`)
  }
}

const DOWNLOAD_MS = 60_000
/** Decrypting one takes some 50 us; between as many as these, other numbers' messages get their turn. */
const AT_ONCE = 100

/** The question for what came after `version`; from 0 for everything. */
export const question = (id: string, version: number): BinaryNode => ({
  tag: 'iq', attrs: { id, to: S_WHATSAPP_NET, xmlns: 'w:sync:app:state', type: 'set' },
  content: [{
    tag: 'sync', attrs: {},
    content: [{ tag: 'collection', attrs: { name: CONTACTS, version: String(version), return_snapshot: String(version === 0) } }],
  }],
})

/**
 * Reads an answer to {@link question}; a snapshot and large changes are fetched from WhatsApp's media servers.
 *
 * Each record proves by its own code that the owner's devices wrote it. The hash over all of them, by which Baileys would
 * notice that the server keeps one back, needs every record's code to be stored: 130 bytes for each contact.
 *
 * @param version what was asked from
 * @throws {CollectionRefusedError}; what `isMissingKeyError` knows, when the phone has not given the key yet; any error of the network
 */
export async function readAnswer(answer: BinaryNode, version: number, keyOf: KeyOf): Promise<Part> {
  const collections = getBinaryNodeChildren(getBinaryNodeChild(answer, 'sync'), 'collection')
  const refused = collections.find(({ attrs }) => attrs['type'] === 'error')
  if (refused !== undefined) throw new CollectionRefusedError(getBinaryNodeChild(refused, 'error')?.attrs['code'] ?? 'no reason given')
  const options = { signal: AbortSignal.timeout(DOWNLOAD_MS) }
  const { [CONTACTS]: found } = await extractSyncdPatches(answer, options) as Partial<Awaited<ReturnType<typeof extractSyncdPatches>>>
  if (found === undefined) return { whole: false, version, mutations: [], more: false }

  const mutations: Mutation[] = []
  let reached = version
  if (found.snapshot != null) {
    reached = numberOf(found.snapshot.version)
    mutations.push(...await decrypted(found.snapshot.records ?? [], false, keyOf))
  }
  for (const patch of found.patches) {
    const changes = [...patch.mutations ?? [], ...patch.externalMutations ? (await downloadExternalPatch(patch.externalMutations, options)).mutations : []]
    for (const run of runs(changes)) mutations.push(...await decrypted(run.records, run.removed, keyOf))
    reached = Math.max(reached, numberOf(patch.version))
  }
  return { whole: found.snapshot != null, version: reached, mutations, more: found.hasMorePatches && reached > version }
}

interface Run {
  readonly removed: boolean
  readonly records: proto.ISyncdRecord[]
}

/** Baileys' decoder does not hand on which operation a record belongs to, so it gets those of one kind at a time, in their order. */
function runs(changes: readonly proto.ISyncdMutation[]): Run[] {
  const all: Run[] = []
  for (const { operation, record } of changes) {
    if (!record) continue
    const removed = operation === proto.SyncdMutation.SyncdOperation.REMOVE
    const last = all.at(-1)
    if (last?.removed === removed) last.records.push(record)
    else all.push({ removed, records: [record] })
  }
  return all
}

async function decrypted(records: readonly proto.ISyncdRecord[], removed: boolean, keyOf: KeyOf): Promise<Mutation[]> {
  const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation
  const mutations: Mutation[] = []
  for (let at = 0; at < records.length; at += AT_ONCE) {
    const some = records.slice(at, at + AT_ONCE).map(record => ({ operation: removed ? REMOVE : SET, record }))
    await decodeSyncdMutations(some, newLTHashState(), keyOf, ({ syncAction, index }) => {
      mutations.push({ removed, index: index, value: syncAction.value ?? {} })
    }, true)
    await setImmediate()
  }
  return mutations
}

const numberOf = (version: proto.ISyncdVersion | null | undefined): number => Number(version?.version ?? 0)
