import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { askForUpload } from '../../src/media/reupload.js'
import type { Connection } from '../../src/session/connection.js'

const KEY = { id: 'M1', fromMe: false, remoteJid: '1@lid' }
const MEDIA_KEY = new Uint8Array(32)

/** A socket that has begun to close: Baileys refuses what is to be sent, and the end is told later. */
function closing(user?: { readonly id: string }) {
  const ends: (() => void)[] = []
  let requests = 0
  const connection = {
    socket: { user, ev: new EventEmitter(), sendNode: () => (requests++, Promise.reject(new Error('Connection Closed'))) },
    onEnd: (listener: () => void) => (ends.push(listener), () => undefined),
  } as unknown as Pick<Connection, 'socket' | 'onEnd'>
  return { connection, requests: () => requests, end: () => { for (const each of ends) each() } }
}

describe('a file that is asked for over a socket that is closing', () => {
  for (const user of [{ id: '972500000001:2@s.whatsapp.net' }, undefined]) {
    it(`waits for the socket's end and leaves the process free meanwhile (${user === undefined ? 'not logged in' : 'logged in'})`, async () => {
      const { connection, requests, end } = closing(user)
      let answer: unknown
      const asking = askForUpload(connection, KEY, MEDIA_KEY, new AbortController().signal).then(given => { answer = given })
      await new Promise(resolve => { setTimeout(resolve, 20) })
      assert.equal(answer, undefined)
      end()
      await asking
      assert.equal(answer, 'disconnected')
      assert.equal(requests(), user === undefined ? 0 : 1)
    })
  }

  it('waits no longer than whoever asks', async () => {
    const stop = new AbortController()
    const asking = askForUpload(closing().connection, KEY, MEDIA_KEY, stop.signal)
    stop.abort()
    assert.equal(await asking, 'silent')
    assert.equal(await askForUpload(closing().connection, KEY, MEDIA_KEY, stop.signal), 'silent')
  })
})
