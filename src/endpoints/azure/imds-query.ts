/**
 * Reads a query string. Names count in any case. Total.
 *
 * @returns undefined if a name is repeated, which real IMDS refuses: two readers could disagree on which value counts
 */
export function imdsQuery(query: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    const lower = name.toLowerCase()
    if (parameters.has(lower)) return undefined
    parameters.set(lower, value)
  }
  return parameters
}
