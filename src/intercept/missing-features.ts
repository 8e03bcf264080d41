import type { Programs } from './programs.ts'

/** What the rules need of the kernel beyond nftables itself, each as small a table as needs it. */
const FEATURES: readonly (readonly [name: string, text: string])[] = [
  ['nftables with tables of the family inet', ''],
  [
    'NAT chains of nftables (nft_chain_nat and nft_nat)',
    'chain c { type nat hook prerouting priority -110; ip daddr 192.0.2.1 dnat ip to 192.0.2.2; }',
  ],
  [
    'route look-ups of nftables (nft_fib_inet)',
    'chain c { type filter hook prerouting priority -310; fib saddr . iif oif missing drop; }',
  ],
  [
    'maps and timeouts of nftables',
    'set s { type ipv4_addr . inet_service; flags timeout; }\nmap m { type ipv4_addr : ipv4_addr . inet_service; }',
  ],
]

/** Names what this node's kernel or `nft` lacks, by asking it to check (`nft -c`), not apply, a small table for each. */
export async function missingFeatures(programs: Programs): Promise<string[]> {
  const missing: string[] = []
  for (const [name, text] of FEATURES) {
    const { status } = await programs.run(
      'nft',
      ['-c', '-f', '-'],
      `table inet metadatad_feature {\n${text}\n}\n`,
    )
    if (status !== 0) missing.push(name)
  }
  return missing
}
