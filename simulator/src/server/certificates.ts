import { Curve, type KeyPair, WA_CERT_DETAILS, proto } from '@whiskeysockets/baileys'

/** The simulator's own certificate authority and the server's static Noise key that it vouches for. */
export interface Certificates {
  /** 32 bytes; a client that trusts this key trusts the server. */
  readonly rootPublicKey: Uint8Array
  readonly serverStatic: KeyPair
  /** Encoded `CertChain`: the root signs the intermediate key, which signs the leaf, the server's static key. */
  readonly chain: Uint8Array
}

export function issueCertificates(): Certificates {
  const root = Curve.generateKeyPair()
  const intermediate = Curve.generateKeyPair()
  const serverStatic = Curve.generateKeyPair()
  const { Details } = proto.CertChain.NoiseCertificate
  const intermediateDetails = Details.encode({ serial: 1, issuerSerial: 0, key: intermediate.public }).finish()
  const leafDetails = Details.encode({ serial: 2, issuerSerial: 1, key: serverStatic.public }).finish()
  const chain = proto.CertChain.encode({
    intermediate: { details: intermediateDetails, signature: Curve.sign(root.private, intermediateDetails) },
    leaf: { details: leafDetails, signature: Curve.sign(intermediate.private, leafDetails) },
  }).finish()
  return { rootPublicKey: root.public, serverStatic, chain }
}

/**
 * Makes the Baileys of *this process* trust a simulator. Baileys exports the root key mutable and reads it at each
 * handshake, so the library itself stays as published.
 */
export function trustRoot(rootPublicKey: Uint8Array): void {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootPublicKey)
}
