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
  /** Instance metadata, or container credentials. */
  readonly serves: 'instance' | 'credentials'
}

/** Where redirected IPv4 connections arrive: GKE's own address for it, so NetworkPolicies written for GKE go on to work. */
export const REDIRECT_IPV4 = '169.254.169.252'
/** Where redirected IPv6 connections arrive: an address of our own choosing from the unique local range (RFC 4193). */
export const REDIRECT_IPV6 = 'fd6d:6574:6164:6174::252'

/** What each mode can capture, IPv4 first: container credentials only where they are asked for. */
export const CAPTURES: Readonly<Record<'redirect' | 'bind', readonly Capture[]>> = {
  redirect: [
    capture('169.254.169.254', REDIRECT_IPV4, 988),
    capture('fd00:ec2::254', REDIRECT_IPV6, 988),
    capture('fd20:ce::254', REDIRECT_IPV6, 989),
    capture('169.254.170.23', REDIRECT_IPV4, 990, 'credentials'),
    capture('169.254.170.2', REDIRECT_IPV4, 991, 'credentials'),
    capture('fd00:ec2::23', REDIRECT_IPV6, 990, 'credentials'),
  ],
  bind: [
    capture('169.254.169.254', '169.254.169.254', 80),
    capture('fd00:ec2::254', 'fd00:ec2::254', 80),
    capture('fd20:ce::254', 'fd20:ce::254', 80),
    capture('169.254.170.23', '169.254.170.23', 80, 'credentials'),
    capture('169.254.170.2', '169.254.170.2', 80, 'credentials'),
    capture('fd00:ec2::23', 'fd00:ec2::23', 80, 'credentials'),
  ],
}

function capture(
  original: string,
  host: string,
  port: number,
  serves: Capture['serves'] = 'instance',
): Capture {
  return { original: { host: original, port: 80 }, primary: { host, port }, serves }
}
