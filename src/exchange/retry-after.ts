/** No upstream can make the daemon wait longer than this for one answer of `Retry-After`. */
const MAX_MS = 10 * 60_000

const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date in the IMF-fixdate form.
 *
 * @param now milliseconds since the epoch
 * @returns milliseconds from now, 0 to ten minutes; undefined if there is no header or it means nothing
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  const wait = /^\d+$/.test(text)
    ? Number(text) * 1000
    : HTTP_DATE.test(text)
      ? Date.parse(text) - now
      : Number.NaN
  return Number.isNaN(wait) ? undefined : Math.min(MAX_MS, Math.max(0, wait))
}
