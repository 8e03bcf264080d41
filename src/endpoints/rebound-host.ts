import { isIP } from 'node:net'

const HOST = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/@]+?)\.?)(?::\d{0,5})?$/

/**
 * Can the `Host` header be that of a web page whose own name was pointed at the metadata address (DNS rebinding)? Then it
 * is a name: SDKs dial addresses.
 *
 * @param host undefined, in HTTP/1.0, is none: no browser speaks it
 * @param names those that a cloud gives to its own service, in lower case
 */
export function isReboundHost(host: string | undefined, names: readonly string[] = []): boolean {
  if (host === undefined) return false
  const match = HOST.exec(host)
  if (match === null) return true
  const [, ipv6, other] = match
  if (ipv6 !== undefined) return isIP(ipv6) !== 6
  const name = other!.toLowerCase()
  return isIP(name) !== 4 && name !== 'localhost' && !names.includes(name)
}
