const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The GUID that `text` is, in lower case: Entra takes either case, and one application must have one spelling in cache keys and rules.
 *
 * @returns undefined if it is none
 */
export function parseGuid(text: string): string | undefined {
  const guid = text.toLowerCase()
  return GUID.test(guid) ? guid : undefined
}
