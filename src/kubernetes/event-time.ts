/**
 * A time as core/v1 Events have it: RFC 3339, whole seconds.
 *
 * @param at milliseconds since the epoch
 */
export function eventTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
