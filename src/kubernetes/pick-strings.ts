import { fields } from './json-fields.ts'

/** More than any identity needs; what a tenant writes beyond it costs him his own annotations, not the daemon's memory. */
const MAX_CHARACTERS = 16 * 1024
const MAX_VALUE_CHARACTERS = 1024

/**
 * The wanted entries of a map of labels or annotations, in the API server's order (sorted by key), as long as keys and
 * values together stay within 16 Ki characters: an entry that does not fit is left out. Total.
 *
 * A value of more than 1,024 characters is cut and ends in `…`, so that it is refused as what it is not: were it left
 * out, a ServiceAccount with a malformed annotation would be taken for one without.
 */
export function pickStrings(
  map: unknown,
  wanted: (key: string) => boolean,
): Readonly<Record<string, string>> {
  const picked: [string, string][] = []
  let left = MAX_CHARACTERS
  for (const [key, value] of Object.entries(fields(map))) {
    if (typeof value !== 'string' || !wanted(key)) continue
    const kept = value.length > MAX_VALUE_CHARACTERS ? `${value.slice(0, MAX_VALUE_CHARACTERS)}…` : value
    if (key.length + kept.length > left) continue
    left -= key.length + kept.length
    picked.push([key, kept])
  }
  return Object.fromEntries(picked)
}
