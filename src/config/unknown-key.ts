import type { ConfigProblem } from './config-error.ts'
import { CONFIG_LEAVES } from './leaves.ts'
import { nearest } from './nearest.ts'

/** Keys and sections that the design has a name for but this version does not do, and what to do without. */
const NOT_YET: readonly { readonly key: string; readonly instead: string }[] = [
  { key: 'credentials.shareBy', instead: 'remove it' },
]

/**
 * The problem with a key that the schema does not have: known for a later version, misspelt, or unknown.
 *
 * @param siblings the names that its section has
 */
export function unknownKey(key: string, source: string, siblings: readonly string[]): ConfigProblem {
  const later = NOT_YET.find((entry) => key === entry.key || key.startsWith(`${entry.key}.`))
  if (later) return { key, source, message: 'is not in this version', suggestion: later.instead }
  const dot = key.lastIndexOf('.')
  const name = key.slice(dot + 1)
  const sibling = nearest(name, siblings)
  const elsewhere = CONFIG_LEAVES.find((leaf) => leaf.key.endsWith(`.${name}`))?.key
  const meant = sibling !== undefined ? key.slice(0, dot + 1) + sibling : elsewhere
  return { key, source, message: 'is not a key', suggestion: meant && `did you mean ${meant}?` }
}

/** The same for an environment variable. */
export function unknownVariable(name: string): ConfigProblem {
  const later = NOT_YET.find(({ key }) => `${name}_`.startsWith(`METADATAD_${snake(key)}_`))
  if (later) return { key: name, source: name, message: 'is not in this version', suggestion: later.instead }
  const meant = nearest(
    name,
    CONFIG_LEAVES.flatMap((leaf) => leaf.env ?? []),
  )
  return {
    key: name,
    source: name,
    message: 'is not the variable of a key',
    suggestion: meant ? `did you mean ${meant}?` : 'unset it',
  }
}

function snake(key: string): string {
  return key
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('.', '_')
    .toUpperCase()
}
