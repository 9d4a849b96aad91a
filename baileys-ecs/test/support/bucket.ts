import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'

export interface TestBucket {
  readonly name: string
  keys: () => Promise<string[]>
}

export async function createBucket(endpoint: string): Promise<TestBucket> {
  const s3 = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true })
  const name = `media-${randomUUID()}`
  await s3.send(new CreateBucketCommand({ Bucket: name }))
  return { name, keys: async () => ((await s3.send(new ListObjectsV2Command({ Bucket: name }))).Contents ?? []).map(({ Key }) => Key ?? '') }
}
