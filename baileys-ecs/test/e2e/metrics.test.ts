import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startEmulator, type Emulator } from '../support/emulator.js'
import { eventually } from '../support/eventually.js'
import { createScene, type Api } from '../support/scene.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => {
  await emulator.stop()
  setTimeout(() => process.exit(), 1_000) // timers of Baileys outlive its sockets
})

type Figures = Readonly<Record<string, number | readonly string[] | undefined>>

const written = ({ lines }: Api): Figures[] =>
  lines.filter(line => line.includes('"_aws"')).map(line => JSON.parse(line) as Figures)

describe('the metrics of a gateway', () => {
  it('tell what an operator has to know: who is down, what waits, what is refused, and how long WhatsApp takes', async t => {
    const scene = await createScene(t, emulator, { METRICS_NAMESPACE: 'Trial', METRICS_PERIOD_MS: '200' })
    const api = await scene.start({ LOG_LEVEL: 'error', SEND_DEADLINE_MS: '1000' })
    const figures = async (what: string, test: (line: Figures) => boolean): Promise<Figures> => {
      const from = written(api).length
      return eventually(what, () => written(api).slice(from).find(test))
    }
    await figures('a number that waits for its first scan', line => line['SessionsConnected'] === 0 && line['SessionsDown'] === 0)
    await scene.pair(api)
    await figures('the session', line => line['SessionsConnected'] === 1 && line['JournalDepth'] === 0 && line['JournalAge'] === 0)

    await api.send(await scene.command('shalom'))
    scene.simulator.setFaults({ ackError: '463' })
    await api.send(await scene.command('refused'))
    scene.simulator.setFaults({ ackError: null, ignore: ['message'] })
    for (let i = 0; i < 3; i++) assert.equal((await api.send(await scene.command('into the void'))).result.outcome, 'unknown')
    const silent = await figures('the silence', line => line['SessionsSilent'] === 1)
    assert.deepEqual([silent['silent'], silent['SessionsConnected'], silent['SessionsDown']], [['business_1'], 1, 0])
    scene.simulator.clearFaults()
    const total = (name: string): number => written(api).reduce((sum, line) => sum + Number(line[name] ?? 0), 0)
    assert.deepEqual([total('SendsAcknowledged'), total('SendsRefused'), total('SendsUnknown')], [1, 1, 3])
    assert.ok(written(api).some(line => Array.isArray(line['AckLatency'])))

    scene.webhook.answer = () => 503
    await scene.customer.say(scene.business, 'waits')
    await figures('what waits', line => line['JournalDepth'] === 1 && Number(line['JournalAge']) >= 1)
    scene.webhook.answer = event => event.type === 'message.received' && event.content.kind === 'text' && event.content.text === 'bad' ? 422 : 200
    await scene.customer.say(scene.business, 'bad')
    const parked = await figures('the parked row', line => line['RowsParked'] === 1 && line['JournalDepth'] === 0)
    assert.deepEqual(parked['parked'], ['business_1'])

    scene.business.disconnect('replaced')
    const down = await figures('the end', line => line['SessionsDown'] === 1)
    assert.deepEqual([down['down'], down['SessionsConnected']], [['business_1'], 0])
    await figures('the process', line => Number(line['MemoryRss']) > 50 && Number(line['MemoryHeap']) > 10 && typeof line['EventLoopLag'] === 'number')
    assert.ok(total('DeliveriesFailed') >= 1)
    await api.stop()
    assert.ok(api.lines.some(line => line.includes('"gateway stopped"') && line.includes('"sendsUnknown":3')), 'the last word has the counts')
  })
})
