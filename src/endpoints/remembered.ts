/** Spellings of one pod's requests that are remembered; clients have one each. */
const MAX_REMEMBERED = 16

/**
 * What a request's spelling means, worked out once.
 *
 * @param known what is remembered of one pod; kept within its bound
 * @param query as sent
 * @param make may throw; then nothing is kept
 */
export function remembered<Entry extends object>(
  known: Map<string, Entry>,
  query: string,
  make: () => Entry,
): Entry {
  const found = known.get(query)
  if (found !== undefined) return found
  const entry = make()
  // The oldest goes first: a pod that never spells its request twice alike keeps no more than this.
  if (known.size === MAX_REMEMBERED) known.delete(known.keys().next().value!)
  known.set(query, entry)
  return entry
}
