import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { eventually } from './eventually.js'

const PACKAGE = resolve(import.meta.dirname, '../..')
const TRUST = resolve(PACKAGE, '../simulator/src/trust.ts')

/** Compiled, as it runs in the image: `npm run build` first. */
const COMPILED = { main: resolve(PACKAGE, 'dist/main.js'), trust: resolve(PACKAGE, '../simulator/dist/trust.js') }
const PROBE = resolve(import.meta.dirname, 'memory-probe.mjs')

/** Two seconds on an idle machine; a busy one may need a minute. */
const START_MS = 120_000

/** The gateway as a process of its own, so that it can be killed. */
export interface GatewayProcess {
  readonly url: string
  readonly pid: number
  readonly child: ChildProcess
  readonly lines: string[]
  readonly exited: Promise<number | null>
  kill: (signal: NodeJS.Signals) => Promise<number | null>
}

/** The simulator that the process takes for WhatsApp. */
export interface Trusted {
  readonly trustRoot: string
  readonly mediaUrl: string
}

export interface Program {
  /** Another one that says "gateway ready" as the gateway does; `compiled`: the gateway without a loader of TypeScript. */
  readonly main?: string
  /** Can be asked what it holds, by `memoryOf`. */
  readonly probed?: boolean
}

export async function spawnGateway(
  environment: Readonly<Record<string, string>>, simulator?: Trusted, { main = 'src/main.ts', probed = false }: Program = {},
): Promise<GatewayProcess> {
  const isCompiled = main === 'compiled'
  const child = spawn(process.execPath, [
    ...(isCompiled ? [] : ['--import', 'tsx']),
    ...(simulator === undefined ? [] : ['--import', isCompiled ? COMPILED.trust : TRUST]),
    ...(probed ? ['--expose-gc', '--import', PROBE] : []),
    isCompiled ? COMPILED.main : resolve(PACKAGE, main),
  ], {
    cwd: PACKAGE, stdio: ['ignore', 'pipe', 'pipe', ...(probed ? ['ipc'] as const : [])],
    env: {
      PATH: process.env['PATH'], ...environment,
      ...(simulator === undefined ? {} : { WA_SIMULATOR_ROOT: simulator.trustRoot, WA_SIMULATOR_MEDIA: simulator.mediaUrl }),
    },
  })
  const lines = collect(child)
  const exited = new Promise<number | null>(done => child.once('exit', code => { done(code) }))
  const url = await eventually('the gateway process', () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}:\n${lines.join('\n')}`)
    const ready = lines.find(line => line.includes('gateway ready'))
    return ready === undefined ? undefined : (JSON.parse(ready) as { url: string }).url
  }, START_MS)
  return {
    url, lines, exited, child, pid: child.pid ?? 0,
    kill: async signal => {
      child.kill(signal)
      return exited
    },
  }
}

function collect(child: ChildProcess): string[] {
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    })
  }
  return lines
}
