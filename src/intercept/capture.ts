import type { ListenAddress } from '../config/config.ts'

/** One metadata address that the daemon answers at, and where pods' connections to it arrive. */
export interface Capture {
  /** What pods dial. */
  readonly original: ListenAddress
  /**
   * Where they arrive when no update is under way. In mode `bind` that is what they dial. Each original has an address and
   * port of its own, so that it is known what was dialled, and no two sockets of a pod become the same connection.
   */
  readonly primary: ListenAddress
}

/** Where redirected IPv4 connections arrive: GKE's own address for it, so NetworkPolicies written for GKE go on to work. */
export const REDIRECT_IPV4 = '169.254.169.252'
/** Where redirected IPv6 connections arrive: an address of our own choosing from the unique local range (RFC 4193). */
export const REDIRECT_IPV6 = 'fd6d:6574:6164:6174::252'

/** What each mode captures, IPv4 first. */
export const CAPTURES: Readonly<Record<'redirect' | 'bind', readonly Capture[]>> = {
  redirect: [
    capture('169.254.169.254', REDIRECT_IPV4, 988),
    capture('fd00:ec2::254', REDIRECT_IPV6, 988),
    capture('fd20:ce::254', REDIRECT_IPV6, 989),
  ],
  bind: [
    capture('169.254.169.254', '169.254.169.254', 80),
    capture('fd00:ec2::254', 'fd00:ec2::254', 80),
    capture('fd20:ce::254', 'fd20:ce::254', 80),
  ],
}

function capture(original: string, host: string, port: number): Capture {
  return { original: { host: original, port: 80 }, primary: { host, port } }
}
