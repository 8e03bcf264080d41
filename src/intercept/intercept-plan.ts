import type { AllowedAddress, InterceptConfig } from '../config/config.ts'
import { METADATA_ADDRESSES } from '../lib/metadata-addresses.ts'
import { CAPTURES, type Capture } from './capture.ts'

/** What the EKS Pod Identity agent listens at: the EKS user guide, "Set up the Amazon EKS Pod Identity Agent". */
export const POD_IDENTITY_AGENT: readonly string[] = ['169.254.170.23', 'fd00:ec2::23']

/** What the rules of one node have to say, before it is spelled for `nft` and `ip`. */
export interface InterceptPlan {
  readonly mode: 'redirect' | 'bind'
  readonly captures: readonly Capture[]
  /** Metadata addresses that pods must not reach otherwise. */
  readonly guarded: readonly string[]
  /** Addresses where redirected connections arrive: no pod may dial them, and no packet for them may leave the node. */
  readonly redirects: readonly string[]
  /** What must be on `lo`. */
  readonly addresses: readonly string[]
  /** Those of `guarded` that open connections to pods themselves: see `PROBE_PORTS`. */
  readonly probers: readonly string[]
  readonly allow: readonly AllowedAddress[]
  /** Does the kernel speak IPv6 at all? Where it does not there are no IPv6 routes to lock. */
  readonly ipv6: boolean
}

/**
 * @param credentials the addresses at which container credentials are answered
 * @param ipv6 can `lo` hold an IPv6 address (`captured`), or does the kernel at least forward IPv6 (`guarded`)? */
export function interceptPlan(
  mode: 'redirect' | 'bind',
  config: InterceptConfig,
  ipv6: 'captured' | 'guarded' | 'absent',
  credentials: readonly string[] = [],
): InterceptPlan {
  const captures = CAPTURES[mode].filter(
    ({ original, serves }) =>
      (serves === 'instance' || credentials.includes(original.host)) &&
      (familyOf(original.host) === 4 || ipv6 === 'captured'),
  )
  const addresses = [...new Set(captures.map(({ primary }) => primary.host))]
  const kept = config.keepPodIdentityAgent ? POD_IDENTITY_AGENT : []
  return {
    mode,
    captures,
    guarded: METADATA_ADDRESSES.map(({ address }) => address).filter((address) => !kept.includes(address)),
    redirects: mode === 'redirect' ? addresses : [],
    addresses,
    probers: METADATA_ADDRESSES.filter(({ serves }) => serves === 'host').map(({ address }) => address),
    allow: config.allow.filter(({ address }) => !kept.includes(address)),
    ipv6: ipv6 !== 'absent',
  }
}

/** @param address spelled by `canonicalAddress` */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}
