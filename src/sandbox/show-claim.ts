/** A claim as an error message shows it: at most 200 characters of text, or of JSON; a list of one as its element. */
export function showClaim(claim: unknown): string {
  const value: unknown = Array.isArray(claim) && claim.length === 1 ? claim[0] : claim
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none')).slice(0, 200)
}
