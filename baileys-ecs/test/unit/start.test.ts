import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { findOwnerUrl, OwnerUrlError } from '../../src/owner-url.js'

async function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', resolve(import.meta.dirname, '../../src/main.ts'), ...args], {
    env: { PATH: process.env['PATH'] }, cwd: resolve(import.meta.dirname, '../..'),
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
  const code = await new Promise<number | null>(done => child.once('close', done))
  return { code, out, err }
}

describe('the program', () => {
  it('explains its settings', async () => {
    const { code, out } = await run(['--help'])
    assert.equal(code, 0)
    assert.match(out, /GATEWAY_TABLE .*\(required\)/)
  })

  it('does not start with settings missing, and says which', async () => {
    const { code, err } = await run([])
    assert.equal(code, 2)
    assert.match(err, /GATEWAY_TABLE is missing/)
    assert.match(err, /INTERNAL_SECRET/)
  })
})

describe('the address that others reach this container by', () => {
  const fallback = new URL('http://127.0.0.1:8080')
  const metadata = async (body: object, use: (url: string) => Promise<void>): Promise<void> => {
    const server = createServer((_request, response) => { response.end(JSON.stringify(body)) })
    await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    } finally {
      server.close()
    }
  }

  it('is the one given, else the task\'s on ECS, else where it listens', async () => {
    assert.equal(await findOwnerUrl('http://given:1', 'http://unused', fallback), 'http://given:1')
    assert.equal(await findOwnerUrl(undefined, undefined, fallback), 'http://127.0.0.1:8080')
    await metadata({ Networks: [{ NetworkMode: 'awsvpc', IPv4Addresses: ['10.0.1.7'] }] }, async url => {
      assert.equal(await findOwnerUrl(undefined, url, fallback), 'http://10.0.1.7:8080')
    })
  })

  it('that ECS does not name is an error that says what to set', async () => {
    await metadata({}, url => assert.rejects(findOwnerUrl(undefined, url, fallback), (error: unknown) =>
      error instanceof OwnerUrlError && error.message.includes('OWNER_URL')))
  })
})
