/** An address at which a cloud's software looks for metadata, and who gives it out. */
export interface MetadataAddress {
  /** Spelled by `canonicalAddress`. */
  readonly address: string
  readonly family: 4 | 6
  /**
   * `instance`: instance metadata, answered by the daemon at port 80. `credentials`: a container credentials endpoint.
   * `host`: a cloud's agent on the virtual machine's host, of which no pod needs anything but, on some nodes, DNS.
   */
  readonly serves: 'instance' | 'credentials' | 'host'
}

/**
 * Every address that a pod must not reach but through the daemon: Google's, Amazon's and Azure's instance metadata
 * (169.254.169.254; `fd20:ce::254`, Google Cloud's documentation of IPv6-only instances; `fd00:ec2::254`, the EC2 user
 * guide), Amazon's container credentials (169.254.170.2 of ECS, 169.254.170.23 and `fd00:ec2::23` of the EKS Pod Identity
 * agent), and Azure's WireServer.
 */
export const METADATA_ADDRESSES: readonly MetadataAddress[] = [
  { address: '169.254.169.254', family: 4, serves: 'instance' },
  { address: 'fd00:ec2::254', family: 6, serves: 'instance' },
  { address: 'fd20:ce::254', family: 6, serves: 'instance' },
  { address: '169.254.170.2', family: 4, serves: 'credentials' },
  { address: '169.254.170.23', family: 4, serves: 'credentials' },
  { address: 'fd00:ec2::23', family: 6, serves: 'credentials' },
  { address: '168.63.129.16', family: 4, serves: 'host' },
]
