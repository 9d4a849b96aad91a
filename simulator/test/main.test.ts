import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
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

    assert.deepEqual(Object.keys(ready), ['controlUrl', 'waUrl', 'trustRoot'])
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
  const preload = ['--import', 'tsx', '--import', `${SOURCE}trust.ts`, '--input-type=module', '--eval',
    "import { WA_CERT_DETAILS } from '@whiskeysockets/baileys'; console.log(WA_CERT_DETAILS.PUBLIC_KEY.toString('hex'))"]

  it('makes Baileys trust the root in WA_SIMULATOR_ROOT', async t => {
    const root = 'ab'.repeat(32)
    assert.equal(await firstLine(run(t, preload, { WA_SIMULATOR_ROOT: root }).stdout), root)
  })

  for (const [what, root, complaint] of [
    ['missing', '', /WA_SIMULATOR_ROOT is not set/],
    ['malformed', 'abcd', /WA_SIMULATOR_ROOT is not a root key/],
  ] as const) {
    it(`refuses to run when the root is ${what}`, async t => {
      const program = run(t, preload, { WA_SIMULATOR_ROOT: root })
      const said = textOf(program.stderr)
      const [code] = await once(program, 'exit') as [number]
      assert.equal(code, 1)
      assert.match(await said, complaint)
    })
  }
})
