import type { Contestant } from './contestants.js'

let ids = 0

/** Acknowledged sends a second through one number: an answer to each of its customers at a time, each chat one after another. */
export async function acknowledgedSends({ api, lines: [line], name }: Contestant, seconds: number): Promise<number> {
  if (line === undefined) throw new Error(`${name} has no number: link one`)
  const started = performance.now()
  const end = started + seconds * 1_000
  let acknowledged = 0
  await Promise.all(line.customers.map(async ({ lidJid: chatJid }) => {
    while (performance.now() < end) {
      const messageId = `3EB0${String(++ids).padStart(16, 'B')}`
      const { result } = await api.send({
        version: 1, messageId, chatJid, author: 'assistant', content: { kind: 'text', text: 'Yes, at eight.' }, correlationId: 'c', ownerToken: 1,
      }, line.tenant)
      if (result.outcome !== 'sent') throw new Error(`${name} did not send: ${JSON.stringify(result)}`)
      acknowledged++
    }
  }))
  return acknowledged / ((performance.now() - started) / 1_000)
}
