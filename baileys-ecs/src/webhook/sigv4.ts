import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AwsCredentialIdentityProvider, Checksum, SourceData } from '@smithy/types'

/** SHA-256 in the shape that the SDK's signer wants. */
class Sha256 implements Checksum {
  readonly #secret: SourceData | undefined
  #hash: ReturnType<typeof hasher>

  constructor(secret?: SourceData) {
    this.#secret = secret
    this.#hash = hasher(secret)
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    this.#hash = hasher(this.#secret)
  }
}

const hasher = (secret: SourceData | undefined) => secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret))

function bytes(data: SourceData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

export type RequestSigner = (url: URL, headers: Readonly<Record<string, string>>, body: string) => Promise<Record<string, string>>

/** Signs a POST for a Lambda function URL with AWS_IAM. */
export function iamSigner(region: string, credentials: AwsCredentialIdentityProvider): RequestSigner {
  const signer = new SignatureV4({ service: 'lambda', region, credentials, sha256: Sha256 })
  return async (url, headers, body) => {
    const signed = await signer.sign({
      method: 'POST', protocol: url.protocol, hostname: url.hostname, path: url.pathname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host }, body,
    })
    return Object.fromEntries(Object.entries(signed.headers).filter(([name]) => name !== 'host')) // fetch sets it
  }
}

/** No signature of AWS: the webhook's own HMAC is all there is (local stack). */
export const unsigned: RequestSigner = (_url, headers) => Promise.resolve({ ...headers })
