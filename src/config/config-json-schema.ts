import { toJsonSchema } from '@valibot/to-json-schema'
import { configSchema } from './schema.ts'

/** The JSON Schema (draft 7) of a configuration file, for editors and other tools. Checks of meaning are not in it. */
export function configJsonSchema(): object {
  const schema = toJsonSchema(configSchema, { typeMode: 'input', errorMode: 'ignore' })
  return { ...schema, title: 'metadatad configuration' }
}
