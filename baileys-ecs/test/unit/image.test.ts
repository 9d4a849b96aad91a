import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'

const ROOT = resolve(import.meta.dirname, '../../..')
const dockerfile = readFileSync(resolve(ROOT, 'baileys-ecs/Dockerfile'), 'utf8')
const instructions = dockerfile.replaceAll(/\\\n/g, ' ').split('\n').map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'))
const lastFrom = instructions.findLastIndex(line => line.startsWith('FROM '))
const [stages, image] = [instructions.slice(0, lastFrom), instructions.slice(lastFrom)]
const sources = (lines: readonly string[]): string[] => lines.filter(line => line.startsWith('COPY '))
  .flatMap(line => line.split(/\s+/).slice(1, -1)).filter(word => !word.startsWith('--'))
const ignore = readFileSync(resolve(ROOT, 'baileys-ecs/Dockerfile.dockerignore'), 'utf8').split('\n')

describe('the image', () => {
  it('copies only what exists, and its ignore file lets through just that', () => {
    const copied = sources(stages)
    assert.ok(copied.length > 0)
    for (const source of copied) {
      assert.ok(existsSync(resolve(ROOT, source)), `${source} does not exist`)
      assert.ok(ignore.includes(`!${source}`), `${source} is kept out of the build context`)
    }
    for (const line of ignore) if (line.startsWith('!')) assert.ok(copied.includes(line.slice(1)), `${line} is let in for nothing`)
    assert.equal(ignore.find(line => line !== '' && !line.startsWith('#')), '**')
  })

  it('holds nothing of the simulator: it could make a gateway trust a false WhatsApp', () => {
    assert.deepEqual(sources(stages).filter(source => source.includes('simulator')), ['simulator/package.json'])
    assert.ok(!stages.some(line => line.startsWith('RUN') && line.includes('simulator')))
    assert.ok(!image.some(line => /simulator|trust/i.test(line)))
    assert.ok(stages.some(line => line.includes('rm -rf node_modules/@kesher'))) // where npm links the workspaces
    const manifest = JSON.parse(readFileSync(resolve(ROOT, 'baileys-ecs/package.json'), 'utf8')) as { dependencies: Record<string, string> }
    assert.equal(manifest.dependencies['@kesher/simulator'], undefined)
  })

  it('only copies in its last stage, so that an arm64 image is built on any machine', () => {
    assert.ok(stages[0]?.startsWith('FROM --platform=$BUILDPLATFORM '))
    assert.ok(!image.some(line => line.startsWith('RUN ')))
    assert.ok(image.filter(line => line.startsWith('COPY ')).every(line => line.includes('--from=build')))
  })

  it('runs as nobody special, listens for others, and asks itself how it is', () => {
    assert.ok(image.includes('USER node'))
    assert.ok(image.some(line => line.startsWith('ENV ') && line.includes('HOST=0.0.0.0')))
    assert.ok(image.some(line => line.startsWith('HEALTHCHECK') && line.includes('"node"') && line.includes('/health')))
    assert.equal(image.at(-1), 'CMD ["node", "baileys-ecs/dist/main.js"]')
  })
})
