import { parseArgs } from 'node:util'
import { startControlApi } from './control/api.js'
import { silenceConsole } from './quiet.js'
import { Simulator } from './simulator.js'

const HELP = `Usage: node simulator/dist/main.js [options]

A WhatsApp server for tests and the demo. When it is ready it prints one line of JSON on its standard output:
{"controlUrl": "http://127.0.0.1:...", "waUrl": "ws://127.0.0.1:.../ws/chat", "mediaUrl": "http://127.0.0.1:...", "trustRoot": "<hex>"}

  --port N            port of the WhatsApp server on 127.0.0.1 (default: a free one)
  --control-port N    port of the control API on 127.0.0.1 (default: a free one)
  --exit-with-stdin   end when the standard input closes, so that a parent that was killed leaves no orphan
  --trace             print every stanza on the standard error output, without ciphertext
  --help              print this
`

async function main(): Promise<void> {
  silenceConsole()
  const options = readOptions()
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const onProblem = (problem: Error): void => { say(problem.stack ?? problem.message) }
  const simulator = await Simulator.start({
    port: options.port, onProblem,
    ...(options.trace && { onStanza: entry => { say(JSON.stringify(entry)) } }),
  })
  const control = await startControlApi(simulator, { port: options.controlPort, onProblem })

  const end = (reason: string): void => {
    say(`ending: ${reason}`)
    void Promise.all([control.close(), simulator.stop()]).then(() => { process.exit(0) }, fail)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { end(signal) })
  if (options.exitWithStdin) process.stdin.once('close', () => { end('standard input closed') }).resume()

  const { waUrl, mediaUrl, trustRoot } = simulator
  process.stdout.write(`${JSON.stringify({ controlUrl: control.url, waUrl, mediaUrl, trustRoot })}\n`)
}

interface Options {
  readonly help: boolean
  readonly port: number
  readonly controlPort: number
  readonly exitWithStdin: boolean
  readonly trace: boolean
}

/** @throws Error about an option that is unknown or has a bad value. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      'control-port': { type: 'string', default: '0' },
      'exit-with-stdin': { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
    },
  })
  return {
    help: values.help,
    port: portNumber('--port', values.port),
    controlPort: portNumber('--control-port', values['control-port']),
    exitWithStdin: values['exit-with-stdin'],
    trace: values.trace,
  }
}

function portNumber(option: string, value: string): number {
  const port = Number(value)
  if (!/^\d+$/.test(value) || port > 65_535) throw new Error(`${option} must be a number from 0 to 65535, not "${value}"`)
  return port
}

const say = (line: string): void => { process.stderr.write(`simulator: ${line}\n`) }

function fail(problem: unknown): void {
  say(problem instanceof Error ? problem.message : String(problem))
  process.exit(1)
}

main().catch(fail)
