import { METADATA_ADDRESSES } from '../../lib/metadata-addresses.ts'
import { CAPTURES } from '../capture.ts'

/** One thing that the probe tries to reach. */
export interface ProbeTarget {
  readonly address: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
}

/** Where clouds' software answers besides port 80, and where the daemon itself does. */
const TCP_PORTS = [53, 443, 988, 8080]
const UDP_PORTS = [53, 123]

/**
 * All that should be silent besides TCP port 80 of the metadata addresses, which is asked by HTTP; the addresses that mode
 * `redirect` leads connections to are tried directly too. WireServer has a second port for plugins, 32526 (Azure's
 * documentation of 168.63.129.16).
 */
export function blockedTargets(): readonly ProbeTarget[] {
  const targets: ProbeTarget[] = []
  for (const { address, serves } of METADATA_ADDRESSES) {
    const tcp = serves === 'host' ? [...TCP_PORTS, 32_526] : TCP_PORTS
    for (const port of tcp) targets.push({ address, port, protocol: 'tcp' })
    for (const port of UDP_PORTS) targets.push({ address, port, protocol: 'udp' })
  }
  for (const { primary } of CAPTURES.redirect) {
    targets.push({ address: primary.host, port: primary.port, protocol: 'tcp' })
  }
  return targets
}
