/** RFC 3986 `pchar` without escapes: the characters that mean themselves in a path. */
const SEGMENT = /^[\w.~!$&'()*+,;=:@-]*$/

/** A path that is canonical already: no escape, no empty segment, none that begins with a dot. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w.~!$&'()*+,;=:@-]*)+\/?$/

const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/
const ESCAPE = /%([0-9A-Fa-f]{2})/g

/**
 * The one spelling of a request's path that routing, allow-lists and the real server are ever shown: escapes decoded
 * once, runs of slashes made one, a final slash kept. What another reader could take for a different path has none:
 * absolute form, dot segments, backslashes, control and non-ASCII characters, and escapes of `/`, `%`, `?` or `#`.
 *
 * @param raw the part of the request target before the first `?` (RFC 9112 section 3.2, origin form)
 * @returns undefined if the path has to be refused
 */
export function canonicalPath(raw: string): string | undefined {
  if (raw === '/' || PLAIN.test(raw)) return raw
  if (!raw.startsWith('/') || BROKEN_ESCAPE.test(raw)) return undefined
  let path = ''
  for (const encoded of raw.split('/')) {
    const segment = encoded.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (!SEGMENT.test(segment) || segment === '.' || segment === '..') return undefined
    if (segment !== '') path += `/${segment}`
  }
  return raw.endsWith('/') ? `${path}/` : path
}
