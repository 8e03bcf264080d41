/** The addresses of the test bed, all of them in namespaces of its own; the metadata addresses are the clouds' real ones. */
export const BED = {
  /** The node's own traffic has these sources, its pods' that leave the node the other ones: so the cloud tells them apart. */
  node: { ipv4: '10.200.0.1', ipv6: 'fd00:200::1' },
  podsAbroad: { ipv4: '10.200.0.3', ipv6: 'fd00:200::3' },
  cloud: { ipv4: '10.200.0.2', ipv6: 'fd00:200::2' },
  podRanges: { ipv4: ['10.90.0.0/24', '10.91.0.0/24'], ipv6: ['fd00:90::/64', 'fd00:91::/64'] },
  /** The gateway of routed pods, which no interface has: the node answers for it (proxy ARP), as Calico does. */
  routedGateway: { ipv4: '169.254.1.1', ipv6: 'fe80::1' },
  bridgeGateway: { ipv4: '10.91.0.1', ipv6: 'fd00:91::1' },
} as const

/** What the raw metadata server of the test bed answers. */
export const RAW_ANSWER = 'RAW NODE CREDENTIALS'
