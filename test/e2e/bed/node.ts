import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetNamespace } from '../../support/net-namespace.ts'
import { BED } from './addresses.ts'
import { run } from './run.ts'

const SETTINGS = {
  'ipv4/ip_forward': '1',
  'ipv6/conf/all/forwarding': '1',
  // Reverse-path filtering of the kernel's own is off, as many CNIs need it: what stops spoofing here is the daemon's rule.
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
  'ipv6/conf/default/accept_dad': '0',
} as const

/** Makes this process's namespace a Kubernetes node: it forwards, has an uplink to the cloud, and masquerades its pods. */
export async function setUpNode(cloud: NetNamespace): Promise<void> {
  for (const [name, value] of Object.entries(SETTINGS)) await writeFile(`/proc/sys/net/${name}`, value)
  await run('ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', cloud.name)
  for (const { ipv4, ipv6 } of [BED.node, BED.podsAbroad]) {
    await run('ip', 'addr', 'add', `${ipv4}/24`, 'dev', 'uplink')
    await run('ip', 'addr', 'add', `${ipv6}/64`, 'dev', 'uplink', 'nodad')
  }
  await run('ip', 'link', 'set', 'uplink', 'up')
  await run('ip', 'route', 'add', 'default', 'via', BED.cloud.ipv4, 'src', BED.node.ipv4)
  await run('ip', '-6', 'route', 'add', 'default', 'via', BED.cloud.ipv6, 'src', BED.node.ipv6)

  await run('ip', 'link', 'add', 'cni0', 'type', 'bridge')
  await run('ip', 'addr', 'add', `${BED.bridgeGateway.ipv4}/24`, 'dev', 'cni0')
  await run('ip', 'addr', 'add', `${BED.bridgeGateway.ipv6}/64`, 'dev', 'cni0', 'nodad')
  await run('ip', 'link', 'set', 'cni0', 'up')
}

/** The node's masquerading of pods, as its CNI installs it: without it, raw answers could not return to them. */
export async function masquerade(directory: string): Promise<void> {
  const file = join(directory, 'cni.nft')
  const { podRanges, podsAbroad } = BED
  await writeFile(
    file,
    `table inet cni {
  chain leaving {
    type nat hook postrouting priority srcnat
    oifname "uplink" ip saddr { ${podRanges.ipv4.join(', ')} } snat ip to ${podsAbroad.ipv4}
    oifname "uplink" ip6 saddr { ${podRanges.ipv6.join(', ')} } snat ip6 to ${podsAbroad.ipv6}
  }
}
`,
  )
  await run('nft', '-f', file)
}
