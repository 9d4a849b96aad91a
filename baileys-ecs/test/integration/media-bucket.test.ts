import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { MediaBucket, MediaObjectError } from '../../src/store/media.js'
import { startEmulator, type Emulator } from '../support/emulator.js'

let emulator: Emulator
before(async () => { emulator = await startEmulator() })
after(async () => { await emulator.stop() })

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')

describe('the media bucket', () => {
  it('gives back what it was given, with its type, and never shows it in a browser', async () => {
    const s3 = new S3Client({ region: 'us-east-1', endpoint: emulator.url, forcePathStyle: true })
    const bucket = `media-${randomUUID()}`
    await s3.send(new CreateBucketCommand({ Bucket: bucket }))
    const media = new MediaBucket({ bucket, region: 'us-east-1', endpoint: emulator.url })
    const bytes = Buffer.from('<script>a stranger\'s page</script>')
    await media.put('media/t/2026-11/x', { bytes, mediaType: 'text/html' }, hash(bytes))
    const found = await media.get('media/t/2026-11/x', 1_000)
    assert.deepEqual([Buffer.from(found.bytes), found.mediaType], [bytes, 'text/html'])
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'media/t/2026-11/x' }))
    assert.equal(head.ContentDisposition, 'attachment')
    assert.equal(head.Metadata?.['sha256'], hash(bytes))
    await assert.rejects(media.get('media/t/2026-11/x', 3), MediaObjectError)
    await assert.rejects(media.get('media/t/2026-11/nothing', 3), MediaObjectError)
    media.close()
    s3.destroy()
  })
})
