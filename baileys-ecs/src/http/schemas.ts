import { createRequire } from 'node:module'

/** The contract's schemas (`contracts/schema.json`), the one source of what is accepted and answered. */
const contract = createRequire(import.meta.url)('@kesher/contracts/schema.json') as { readonly $id: string; readonly $defs: object }

export const CONTRACT = contract

/** A reference into the contract, for example `ref('SendCommand')`. */
export const ref = (name: string): { readonly $ref: string } => ({ $ref: `${contract.$id}#/$defs/${name}` })
