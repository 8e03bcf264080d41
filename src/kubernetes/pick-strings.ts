import { fields } from './json-fields.ts'

/** More than any identity needs; what a tenant writes beyond it costs him his own annotations, not the daemon's memory. */
const MAX_CHARACTERS = 16 * 1024

/**
 * The wanted entries of a map of labels or annotations, in the API server's order (sorted by key), as long as keys and
 * values together stay within 16 Ki characters: an entry that does not fit is left out. Total.
 */
export function pickStrings(
  map: unknown,
  wanted: (key: string) => boolean,
): Readonly<Record<string, string>> {
  const picked: [string, string][] = []
  let left = MAX_CHARACTERS
  for (const [key, value] of Object.entries(fields(map))) {
    if (typeof value !== 'string' || !wanted(key)) continue
    if (key.length + value.length > left) continue
    left -= key.length + value.length
    picked.push([key, value])
  }
  return Object.fromEntries(picked)
}
