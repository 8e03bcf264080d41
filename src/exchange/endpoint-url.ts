/**
 * The URL of `path` below a configured endpoint, which may have a path of its own (a gateway's) and may end in a slash.
 *
 * @param path absolute, already percent-encoded
 */
export function endpointUrl(base: string, path: string): string {
  return base.replace(/\/+$/, '') + path
}
