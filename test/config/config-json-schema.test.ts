import t from 'tap'
import { configJsonSchema } from '../../src/config/config-json-schema.ts'
import { CONFIG_LEAVES } from '../../src/config/leaves.ts'

interface Schema {
  readonly properties?: Record<string, Schema>
  readonly description?: string
  readonly additionalProperties?: boolean
}

t.test('the JSON Schema has every key, described, and lets no other through', async (t) => {
  const schema = configJsonSchema() as Schema
  for (const { key, description } of CONFIG_LEAVES) {
    let at: Schema | undefined = schema
    for (const name of key.split('.')) {
      t.equal(at?.additionalProperties, false, key)
      at = at?.properties?.[name]
    }
    t.equal(at?.description, description, key)
    t.match(description, /^[A-Z`].*\.$/, 'a sentence')
  }
})
