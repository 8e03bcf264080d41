import { canonicalAddress } from '../../lib/address.ts'

/**
 * The IPv4 addresses of a network namespace, from `/proc/PID/net/fib_trie`: the leaves (`|-- ADDRESS`) that have a route
 * `/32 host LOCAL`, in whatever table (net/ipv4/fib_trie.c, `fib_trie_seq_show`).
 * 127.0.0.1, which every namespace has, is left out. Total.
 */
export function localIpv4(text: string): Set<string> {
  const addresses = new Set<string>()
  let leaf: string | undefined
  for (const line of text.split('\n')) {
    const start = line.search(/\S/)
    if (start < 0) continue
    if (line.startsWith('|-- ', start)) leaf = canonicalAddress(line.slice(start + 4))
    else if (line.startsWith('+-- ', start)) leaf = undefined
    else if (leaf !== undefined && line.startsWith('/32 host LOCAL', start) && leaf !== '127.0.0.1')
      addresses.add(leaf)
  }
  return addresses
}
