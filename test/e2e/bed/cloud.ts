import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { METADATA_ADDRESSES } from '../../../src/lib/metadata-addresses.ts'
import type { NetNamespace } from '../../support/net-namespace.ts'
import { BED } from './addresses.ts'

const PROGRAM = fileURLToPath(new URL('cloud-process.ts', import.meta.url))

// Everything that is for a metadata address, or for where the daemon has it redirected to: what misses the daemon on the
// node follows the default route, and is seen here whatever its protocol or port.
const RULES = `
table inet bed {
  counter pods { }
  counter pods_dns_ntp { }
  counter host { }
  chain arrived {
    type filter hook prerouting priority -300
    iifname != "uplink" accept
    ip daddr { 169.254.0.0/16, 168.63.129.16 } jump counted
    ip6 daddr { fd00:ec2::/32, fd20:ce::/64, fd6d:6574:6164:6174::/64 } jump counted
  }
  chain counted {
    ip saddr ${BED.node.ipv4} counter name host accept
    ip6 saddr ${BED.node.ipv6} counter name host accept
    tcp dport 53 counter name pods_dns_ntp accept
    udp dport { 53, 123 } counter name pods_dns_ntp accept
    counter name pods
  }
}
`

/** How many packets for metadata addresses left the node, by whose they were. */
export interface CloudCounts {
  /** Of pods; those for DNS and NTP apart, because they may be allowed. */
  readonly pods: number
  readonly podsDnsNtp: number
  readonly host: number
}

/** The cloud outside the node: it owns every metadata address, serves raw credentials there, and counts what arrives. */
export interface Cloud {
  counts(): Promise<CloudCounts>
}

/** Sets it up in its namespace, which has the interface `uplink` already. */
export async function startCloud(namespace: NetNamespace): Promise<Cloud> {
  await namespace.ip('addr', 'add', `${BED.cloud.ipv4}/24`, 'dev', 'uplink')
  await namespace.ip('addr', 'add', `${BED.cloud.ipv6}/64`, 'dev', 'uplink', 'nodad')
  await namespace.ip('link', 'set', 'uplink', 'up')
  for (const { address, family } of METADATA_ADDRESSES)
    await namespace.ip('addr', 'add', `${address}/${family === 4 ? 32 : 128}`, 'dev', 'lo')
  // Also back to pods whose source was not translated: a leak must work even when somebody has flushed the node's rules.
  await namespace.ip('route', 'add', 'default', 'via', BED.node.ipv4)
  await namespace.ip('-6', 'route', 'add', 'default', 'via', BED.node.ipv6)
  const loaded = await namespace.run('nft', ['-f', '-'], { input: RULES })
  if (loaded.status !== 0) throw new Error(loaded.stderr)

  const server = namespace.spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([
    once(server.stdout!, 'data'),
    once(server, 'exit').then(() => Promise.reject(new Error('the raw metadata server has ended'))),
  ])

  return {
    async counts() {
      const { nftables } = JSON.parse(await namespace.must('nft', '-j', 'list', 'counters')) as {
        nftables: { counter?: { name: string; packets: number } }[]
      }
      const packets = (name: string) =>
        nftables.find(({ counter }) => counter?.name === name)!.counter!.packets
      return { pods: packets('pods'), podsDnsNtp: packets('pods_dns_ntp'), host: packets('host') }
    },
  }
}
