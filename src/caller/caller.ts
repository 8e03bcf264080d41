import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import type { Deadline } from '../lib/deadline.ts'

/** The two ends of an accepted TCP connection, read from the socket and from nowhere else. */
export interface Connection {
  /** Spelled by `canonicalAddress`. */
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /**
   * What the pod's own socket may have as its remote end: the metadata address behind this listener where packets are
   * redirected, else the listener itself.
   */
  readonly dialled: readonly { readonly address: string; readonly port: number }[]
  /** When it was accepted, in milliseconds since the epoch. */
  readonly openedAt: number
}

/**
 * A pod that is known to be at the other end, and its ServiceAccount. Frozen facts: when anything about the pod, its
 * address or its ServiceAccount changes, `valid` turns false for good and the connection must be identified again.
 */
export interface Caller {
  readonly pod: Pod
  readonly serviceAccount: ServiceAccount
  /** False once any fact behind this caller has changed. Look at it after every wait. */
  readonly valid: boolean
}

/** One connection's caller, from accept to close. */
export interface CallerSession {
  /** The caller, if it is known now beyond doubt. Costs nothing; for the warm path. */
  current(): Caller | undefined
  /**
   * The caller; holds the request until the deadline while the pod is not known yet.
   * @throws MetadatadError `CALLER_*`, `SERVICE_ACCOUNT_MISSING` or `KUBERNETES_*`
   */
  identify(deadline: Deadline): Promise<Caller>
}

/** Ties connections to pods. */
export interface CallerIdentifier {
  open(connection: Connection): CallerSession
}
