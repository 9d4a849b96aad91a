import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { eventually } from './eventually.js'

const ROOT = resolve(import.meta.dirname, '../../..')

/** The same variables for this process and for a gateway in a child process. */
export const AWS_ENVIRONMENT = {
  AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1', AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
}
Object.assign(process.env, AWS_ENVIRONMENT)

export interface Emulator {
  readonly url: string
  stop: () => Promise<void>
}

/** A DynamoDB that speaks the real API: ministack, on a free port, without persistence. */
export async function startEmulator(): Promise<Emulator> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), `kesher-emulator-${randomUUID()}`))
  const child = spawn(join(ROOT, '.venv/bin/ministack'), {
    stdio: 'ignore', cwd: directory,
    env: {
      ...process.env, BIND_HOST: '127.0.0.1', MINISTACK_HOST: '127.0.0.1', GATEWAY_PORT: String(port), PERSIST_STATE: '0',
      STATE_DIR: directory, LAMBDA_EXECUTOR: 'local', LOG_LEVEL: 'ERROR',
    },
  })
  const exited = new Promise<void>(done => child.once('exit', () => { done() }))
  const url = `http://127.0.0.1:${port}`
  await eventually('the emulator', async () => {
    if (child.exitCode !== null) throw new Error(`ministack ended with ${child.exitCode}`)
    return fetch(`${url}/_ministack/health`).then(answer => answer.ok, () => false)
  })
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => { server.listen(0, '127.0.0.1', done) })
  const address = server.address()
  await new Promise(done => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
