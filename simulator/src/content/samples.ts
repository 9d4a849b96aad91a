import type { FileContent, FileKind } from './content.js'

interface Sample {
  readonly mimetype: string
  readonly bytes: Buffer
}

const base64 = (text: string): Buffer => Buffer.from(text, 'base64')

const OGG = base64('T2dnUwACAAAAAAAAAABrZXNoAAAAAGxlbnMBE09wdXNIZWFkAQE4AYC7AAAAAAA=')

/** Small files that begin like what they say they are. Enough for who looks at the first bytes, not for who decodes. */
const SAMPLES: Readonly<Record<FileKind, Sample>> = {
  image: {
    mimetype: 'image/jpeg',
    bytes: base64('/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA='),
  },
  sticker: { mimetype: 'image/webp', bytes: base64('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA') },
  video: { mimetype: 'video/mp4', bytes: base64('AAAAGGZ0eXBpc29tAAACAGlzb21pc28yAAAACG1kYXQ=') },
  audio: { mimetype: 'audio/mpeg', bytes: base64('SUQzBAAAAAAAAP/7kGQAAAAAAAAAAAAAAAAAAAAA') },
  voice: { mimetype: 'audio/ogg; codecs=opus', bytes: OGG },
  document: {
    mimetype: 'application/pdf',
    bytes: Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
  },
}

/** The plain file of a content, and its type. */
export function fileOf({ kind, bytes, size, mimetype }: FileContent): Sample {
  const sample = SAMPLES[kind]
  const file = bytes === undefined ? sample.bytes : base64(bytes)
  return {
    mimetype: mimetype ?? sample.mimetype,
    bytes: size === undefined ? file : Buffer.alloc(size, file.length > 0 ? file : '0'),
  }
}
