import * as v from 'valibot'
import { configSchema } from './schema.ts'

/** How a key's value is written as text, in a flag or an environment variable. `rules` has no such form. */
export type LeafKind = 'text' | 'integer' | 'boolean' | 'list' | 'rules'

/** One key of the configuration, and what else it is called. */
export interface Leaf {
  /** `google.projectId`. */
  readonly key: string
  readonly kind: LeafKind
  /** `--google-project-id`; undefined where only the file will do. */
  readonly flag: string | undefined
  /** `METADATAD_GOOGLE_PROJECT_ID`; undefined where only the file will do. */
  readonly env: string | undefined
  readonly description: string
  /** In text form. */
  readonly example: string
  /** As the schema has it: undefined, a text, a number, a boolean or a list. */
  readonly default: unknown
}

/** A section of the configuration or the whole, seen as what it contains. */
export type Section = ReadonlyMap<string, Section | Leaf>

/** The configuration's keys as they are nested in the file. */
export const CONFIG_TREE: Section = section(configSchema, '')

/** Every key of the configuration, in the schema's order. */
export const CONFIG_LEAVES: readonly Leaf[] = leavesOf(CONFIG_TREE)

/** Tells a section from a key. */
export function isSection(node: Section | Leaf): node is Section {
  return node instanceof Map
}

function section(schema: { readonly entries: v.ObjectEntries }, prefix: string): Section {
  const tree = new Map<string, Section | Leaf>()
  for (const [name, entry] of Object.entries(schema.entries)) {
    const inner =
      entry.type === 'optional' ? (entry as v.OptionalSchema<v.GenericSchema, unknown>).wrapped : entry
    if (inner.type === 'strict_object') tree.set(name, section(inner as never, `${prefix}${name}.`))
    else
      tree.set(
        name,
        leaf(`${prefix}${name}`, inner as v.GenericSchema, (entry as { default?: unknown }).default),
      )
  }
  return tree
}

function leaf(key: string, schema: v.GenericSchema, fallback: unknown): Leaf {
  const kind = kindOf(schema)
  const words = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('.', '-')
  return {
    key,
    kind,
    flag: kind === 'rules' ? undefined : `--${words}`,
    env: kind === 'rules' ? undefined : `METADATAD_${words.replaceAll('-', '_').toUpperCase()}`,
    description: String(v.getMetadata(schema).description),
    example: String((v.getMetadata(schema).examples as readonly string[])[0]),
    default: fallback,
  }
}

function kindOf(schema: v.GenericSchema): LeafKind {
  if (schema.type === 'number') return 'integer'
  if (schema.type === 'boolean') return 'boolean'
  if (schema.type !== 'array') return 'text'
  return (schema as v.ArraySchema<v.GenericSchema, undefined>).item.type === 'strict_object'
    ? 'rules'
    : 'list'
}

function leavesOf(tree: Section): Leaf[] {
  return [...tree.values()].flatMap((node) => (isSection(node) ? leavesOf(node) : [node]))
}
