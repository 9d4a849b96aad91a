import { setImmediate } from 'node:timers/promises'
import {
  decodeSyncdMutations, downloadExternalPatch, extractSyncdPatches, getBinaryNodeChild, getBinaryNodeChildren, isMissingKeyError, newLTHashState, proto,
  S_WHATSAPP_NET, type BinaryNode, type WAPatchName,
} from '@whiskeysockets/baileys'
import { within } from '../concurrency/sleep.js'
import { statusCodeOf } from '../observability/redact.js'
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

/** What the server gave cannot be read, and could not the next time either. */
export class CollectionUnreadableError extends Error {
  override readonly name = 'CollectionUnreadableError'
  constructor(cause: unknown) {
    super(`what WhatsApp gives of the phone's contacts cannot be read (${cause instanceof Error ? cause.message : 'no reason given'}); asking for all of them again`, { cause })
  }
}

/** A media server does not send what it holds of the contacts. */
export class DownloadStalledError extends Error {
  override readonly name = 'DownloadStalledError'
  constructor(ms: number) {
    super(`a file with the phone's contacts did not come within ${ms} ms; asking for it again`)
  }
}

const DOWNLOAD_MS = 60_000
/** What a media server says of a file that it does not keep any longer. */
const GONE: ReadonlySet<number> = new Set([403, 404, 410])
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
 * @param downloadMs for each file
 * @throws {CollectionRefusedError}, {@link CollectionUnreadableError}, {@link DownloadStalledError}; what `isMissingKeyError` knows, when the phone has not given the key yet; any error of the network
 */
export async function readAnswer(answer: BinaryNode, version: number, keyOf: KeyOf, downloadMs = DOWNLOAD_MS): Promise<Part> {
  const collections = getBinaryNodeChildren(getBinaryNodeChild(answer, 'sync'), 'collection')
  const refused = collections.find(({ attrs }) => attrs['type'] === 'error')
  if (refused !== undefined) throw new CollectionRefusedError(getBinaryNodeChild(refused, 'error')?.attrs['code'] ?? 'no reason given')
  const { [CONTACTS]: found } = await downloaded(extractSyncdPatches(answer, {}), downloadMs) as Partial<Awaited<ReturnType<typeof extractSyncdPatches>>>
  if (found === undefined) return { whole: false, version, mutations: [], more: false }

  const mutations: Mutation[] = []
  let reached = version
  if (found.snapshot != null) {
    reached = numberOf(found.snapshot.version)
    mutations.push(...await decrypted(found.snapshot.records ?? [], false, keyOf))
  }
  for (const patch of found.patches) {
    const changes = [...patch.mutations ?? [], ...patch.externalMutations ? (await downloaded(downloadExternalPatch(patch.externalMutations, {}), downloadMs)).mutations : []]
    for (const run of runs(changes)) mutations.push(...await decrypted(run.records, run.removed, keyOf))
    reached = Math.max(reached, numberOf(patch.version))
  }
  return { whole: found.snapshot != null, version: reached, mutations, more: found.hasMorePatches && reached > version }
}

/** Not by a signal: Baileys hands none on to `fetch`, and its stream of a body that breaks off never ends. */
async function downloaded<T>(download: Promise<T>, ms: number): Promise<T> {
  const ended = await within(download.then(value => ({ value }), (error: unknown) => { throw isOfTheNetwork(error) ? error : new CollectionUnreadableError(error) }), ms, undefined)
  if (ended === undefined) throw new DownloadStalledError(ms)
  return ended.value
}

/** Baileys throws a Boom for a status, and `fetch` a TypeError with a cause for what is no answer; the rest is of reading the bytes. */
function isOfTheNetwork(error: unknown): boolean {
  const status = statusCodeOf(error)
  return status === undefined ? error instanceof TypeError && error.cause !== undefined : !GONE.has(status)
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
    try {
      await decodeSyncdMutations(some, newLTHashState(), keyOf, ({ syncAction, index }) => {
        mutations.push({ removed, index: index, value: syncAction.value ?? {} })
      }, true)
    } catch (error) {
      throw isMissingKeyError(error) ? error : new CollectionUnreadableError(error)
    }
    await setImmediate()
  }
  return mutations
}

const numberOf = (version: proto.ISyncdVersion | null | undefined): number => Number(version?.version ?? 0)
