// JSON Schema on standard input, TypeScript types on standard output.
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { compile } from 'json-schema-to-typescript'

const schema = JSON.parse(await text(process.stdin))
const types = await compile({ ...schema, $id: undefined, title: 'KesherContracts' }, 'KesherContracts', {
  bannerComment: '/* Generated from functions/shared/contracts/ by `make contracts`; do not edit. */',
  unreachableDefinitions: true,
  additionalProperties: false, // unknown fields are ignored by readers, so they have no place in the types
  format: false,
  maxItems: -1, // a list of at most twenty is a list, not twenty kinds of tuple
})
// Drop the sentence that the library adds to each definition, and the empty type of the document itself.
const referenced = /\n \* (?:\n \* )?This interface was referenced by[^\n]*\n \* via the `definition`[^\n]*/g
const whole = /export interface KesherContracts \{[^}]*\}\n/
process.stdout.write(types.replace(referenced, '').replaceAll('/**\n */\n', '').replace(whole, ''))
