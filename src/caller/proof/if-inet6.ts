import { canonicalAddress } from '../../lib/address.ts'

/** `RT_SCOPE_HOST` and `RT_SCOPE_LINK` as the file has them (include/net/ipv6.h): no address to be called from. */
const LOOPBACK = 0x10
const LINK_LOCAL = 0x20

/**
 * The IPv6 addresses of a network namespace, from `/proc/PID/net/if_inet6` (net/ipv6/addrconf.c, `if6_seq_show`: address,
 * interface index, prefix length, scope, flags, interface). Loopback and link-local are left out. Total.
 */
export function localIpv6(text: string): Set<string> {
  const addresses = new Set<string>()
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{32}) [0-9a-f]{2,8} [0-9a-f]{2} ([0-9a-f]{2}) [0-9a-f]{2} /.exec(line)
    if (!match) continue
    const scope = Number.parseInt(match[2]!, 16) & 0xf0
    if (scope === LOOPBACK || scope === LINK_LOCAL) continue
    const address = canonicalAddress(match[1]!.match(/.{4}/g)!.join(':'))
    if (address !== undefined) addresses.add(address)
  }
  return addresses
}
