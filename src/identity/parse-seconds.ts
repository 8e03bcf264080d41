/** A life in seconds as an annotation writes it, in digits; undefined if it is anything else. */
export function parseSeconds(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
