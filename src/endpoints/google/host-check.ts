import { canonicalAddress } from '../../lib/address.ts'

/** Every name and address that Google documents for its metadata server. */
const GOOGLE_HOSTS = [
  '169.254.169.254',
  '169.254.169.252',
  'fd20:ce::254',
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
]

/** Host names and addresses in a `Host` header: a bracketed IPv6 address or a name, then perhaps a port. */
const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/@]+?)\.?)(?::\d{0,5})?$/

/**
 * Makes the check that ends DNS rebinding: a web page's own name, pointed at the metadata address, is in the `Host`
 * header of the requests it makes.
 *
 * @param extra further names or addresses, without ports (`GCE_METADATA_HOST` of the pods)
 * @returns a function of the `Host` header (undefined, in HTTP/1.0, passes: no browser speaks it) and the connection's
 * local address, which is always good
 */
export function createHostCheck(
  extra: readonly string[],
): (host: string | undefined, localAddress: string) => boolean {
  const known = new Set([
    ...GOOGLE_HOSTS,
    ...extra.map((host) => canonicalAddress(host) ?? host.toLowerCase()),
  ])
  return (host, localAddress) => {
    if (host === undefined || known.has(host)) return true
    const match = HOST.exec(host)
    if (match === null) return false
    const [, ipv6, name] = match
    const spelled = ipv6 === undefined ? name!.toLowerCase() : canonicalAddress(ipv6)
    return spelled !== undefined && (spelled === localAddress || known.has(spelled))
  }
}
