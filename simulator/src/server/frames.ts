/** Every frame on the WebSocket's byte stream is a 24-bit length and that many bytes. */
export function frame(body: Uint8Array): Buffer {
  const length = Buffer.alloc(3)
  length.writeUIntBE(body.length, 0, 3)
  return Buffer.concat([length, body])
}

/** Cuts a client's byte stream into frames, after the prologue with which it begins. */
export class FrameReader {
  #buffer = Buffer.alloc(0)
  /** `WA`, 6, 3: protocol and dictionary version. Both sides mix it into the handshake's hash. */
  header: Buffer | undefined

  /** @returns the frames that `data` completed. */
  push(data: Buffer): Buffer[] {
    this.#buffer = Buffer.concat([this.#buffer, data])
    this.header ??= this.#takeHeader()
    const frames: Buffer[] = []
    while (this.header && this.#buffer.length >= 3) {
      const end = 3 + this.#buffer.readUIntBE(0, 3)
      if (this.#buffer.length < end) break
      frames.push(this.#buffer.subarray(3, end))
      this.#buffer = this.#buffer.subarray(end)
    }
    return frames
  }

  /** A client that was told its `edge_routing` puts it in front: `ED`, 0, 1, a 24-bit length, the routing information. */
  #takeHeader(): Buffer | undefined {
    let start = 0
    if (this.#buffer.subarray(0, 2).toString() === 'ED') {
      if (this.#buffer.length < 7) return undefined
      start = 7 + this.#buffer.readUIntBE(4, 3)
    }
    if (this.#buffer.length < start + 4) return undefined
    const header = this.#buffer.subarray(start, start + 4)
    this.#buffer = this.#buffer.subarray(start + 4)
    return header
  }
}
