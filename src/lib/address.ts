import { isIP, isIPv4 } from 'node:net'

/**
 * The one spelling of an IP address that the daemon compares: IPv4-mapped IPv6 (`::ffff:10.0.0.1`) becomes IPv4, IPv6
 * is lower case and compressed as RFC 5952 says, and a zone (`%eth0`) is dropped.
 *
 * @returns undefined if `text` is no IP address
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  const zone = text.indexOf('%')
  const bare = zone < 0 ? text : text.slice(0, zone)
  if (isIP(bare) !== 6) return undefined
  const compressed = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed)
  if (!mapped) return compressed
  const high = Number.parseInt(mapped[1]!, 16)
  const low = Number.parseInt(mapped[2]!, 16)
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}
