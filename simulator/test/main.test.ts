import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type TestContext, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventually } from './support/eventually.js'

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))
const MAIN = ['--import', 'tsx', `${SOURCE}main.ts`]

type Child = ChildProcessByStdio<Writable, Readable, Readable>

function run(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function textOf(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

async function firstLine(stream: Readable): Promise<string> {
  const [line] = await once(createInterface(stream), 'line') as [string]
  return line
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('main.js', () => {
  it('prints one line of JSON when it is ready, and ends cleanly on SIGTERM', async t => {
    const simulator = run(t, MAIN)
    let output = ''
    simulator.stdout.on('data', chunk => { output += String(chunk) })
    const ready = JSON.parse(await firstLine(simulator.stdout)) as Record<string, string>

    assert.deepEqual(Object.keys(ready), ['controlUrl', 'waUrl', 'mediaUrl', 'trustRoot'])
    assert.match(ready.waUrl ?? '', /^ws:\/\/127\.0\.0\.1:\d+\/ws\/chat$/)
    assert.match(ready.trustRoot ?? '', /^[0-9a-f]{64}$/)
    const health = await fetch(`${ready.controlUrl ?? ''}/health`)
    assert.equal(health.status, 200)

    simulator.kill('SIGTERM')

    assert.deepEqual(await once(simulator, 'exit'), [0, null])
    assert.equal(output.trim().split('\n').length, 1)
  })

  it('ends when its standard input closes, if told so', async t => {
    const simulator = run(t, [...MAIN, '--exit-with-stdin'])
    await firstLine(simulator.stdout)
    simulator.stdin.end()
    assert.deepEqual(await once(simulator, 'exit'), [0, null])
  })

  it('dies with a parent that was killed', async t => {
    const parent = run(t, ['--input-type=module', '--eval', `
      import { spawn } from 'node:child_process'
      const child = spawn(process.execPath, ${JSON.stringify([...MAIN, '--exit-with-stdin'])}, { stdio: ['pipe', 'pipe', 'ignore'] })
      child.stdout.once('data', () => console.log(child.pid))
    `])
    const pid = Number(await firstLine(parent.stdout))
    assert.ok(isAlive(pid))

    parent.kill('SIGKILL')

    await eventually('the simulator to end', () => !isAlive(pid))
  })

  it('explains itself', async t => {
    assert.match(await textOf(run(t, [...MAIN, '--help']).stdout), /^Usage: node simulator\/dist\/main\.js/)
  })

  for (const args of [['--port', 'x'], ['--control-port', '70000'], ['--colour']]) {
    it(`refuses ${args.join(' ')}`, async t => {
      const simulator = run(t, [...MAIN, ...args])
      const complaint = textOf(simulator.stderr)
      assert.deepEqual(await once(simulator, 'exit'), [1, null])
      assert.match(await complaint, new RegExp(String(args[0])))
    })
  }
})

describe('The preload trust.js', () => {
  const preload = (program: string): string[] => ['--import', 'tsx', '--import', `${SOURCE}trust.ts`, '--input-type=module', '--eval', program]
  const PRINT_ROOT = "import { WA_CERT_DETAILS } from '@whiskeysockets/baileys'; console.log(WA_CERT_DETAILS.PUBLIC_KEY.toString('hex'))"
  const root = 'ab'.repeat(32)
  const media = 'http://127.0.0.1:1'

  it('makes Baileys trust the root in WA_SIMULATOR_ROOT', async t => {
    const env = { WA_SIMULATOR_ROOT: root, WA_SIMULATOR_MEDIA: media }
    assert.equal(await firstLine(run(t, preload(PRINT_ROOT), env).stdout), root)
  })

  it('sends requests for WhatsApp\'s media servers to WA_SIMULATOR_MEDIA, and no others', async t => {
    const server = createServer((request, response) => { response.end(`${request.method ?? ''} ${request.url ?? ''} `) })
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    t.after(() => { server.close() })
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const program = run(t, preload(`
      import https from 'node:https'
      const post = url => new Promise((resolve, reject) => {
        https.request(url, { method: 'POST' }, answer => { answer.setEncoding('utf8').on('data', resolve) }).on('error', () => resolve('nothing ')).end()
      })
      const get = async url => fetch(url).then(answer => answer.text(), () => 'nothing ')
      console.log(await get('https://mmg.whatsapp.net/v/a?b=c') + await post('https://media-1.cdn.whatsapp.net/mms/image/x')
        + await get('${here}/other') + await get('https://whatsapp.net.invalid/x') + await post('https://127.0.0.1:1/x'))
    `), { WA_SIMULATOR_ROOT: root, WA_SIMULATOR_MEDIA: here })
    assert.equal((await firstLine(program.stdout)).trim(), 'GET /v/a?b=c POST /mms/image/x GET /other nothing nothing')
  })

  for (const [what, env, complaint] of [
    ['the root is missing', {}, /WA_SIMULATOR_ROOT is not set/],
    ['the root is malformed', { WA_SIMULATOR_ROOT: 'abcd' }, /WA_SIMULATOR_ROOT is not a root key/],
    ['the media servers are missing', { WA_SIMULATOR_ROOT: root }, /WA_SIMULATOR_MEDIA is not set/],
    ['the media servers are elsewhere', { WA_SIMULATOR_ROOT: root, WA_SIMULATOR_MEDIA: 'https://example.org' }, /WA_SIMULATOR_MEDIA is not set/],
  ] as const) {
    it(`refuses to run when ${what}`, async t => {
      const program = run(t, preload(PRINT_ROOT), env)
      const said = textOf(program.stderr)
      const [code] = await once(program, 'exit') as [number]
      assert.equal(code, 1)
      assert.match(await said, complaint)
    })
  }
})
