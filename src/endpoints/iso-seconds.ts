/**
 * A time as AWS writes it: `2026-01-31T12:00:00Z`, rounded down. botocore parses exactly this form; a fraction of a second
 * makes it skip its look at the expiry.
 *
 * @param at milliseconds since the epoch
 */
export function isoSeconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
