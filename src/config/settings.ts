import type { ConfigProblem } from './config-error.ts'
import type { Leaf } from './leaves.ts'

/** One key's value as some source gave it, not yet checked. */
export interface Setting {
  readonly value: unknown
  readonly source: string
  /** Where a part of the value was said, by the part's path (`0`, `0.namespace`), if that can be told. */
  readonly partSources?: ReadonlyMap<string, string>
}

/** What one source says: values by key, sections that are there though empty, and what is wrong with it. */
export interface Settings {
  readonly values: ReadonlyMap<string, Setting>
  /** Sections that the file has, by name, with where. */
  readonly sections: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
  /** Could not be read: what seems to be missing may only be unseen. */
  readonly unreadable?: boolean
}

/**
 * A value given as text: lists are split at commas, numbers and `true`/`false` are read as such, and what can't be is
 * left for the schema to refuse.
 *
 * @param texts the flag's values, or the environment variable's one
 */
export function valueFromText(leaf: Leaf, texts: readonly string[]): unknown {
  if (leaf.kind === 'list') {
    return texts
      .flatMap((text) => text.split(','))
      .map((text) => text.trim())
      .filter((text) => text !== '')
  }
  const text = texts.at(-1) ?? ''
  if (leaf.kind === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (leaf.kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
