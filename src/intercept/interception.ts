import type { Capture } from './capture.ts'

/**
 * The port, on the address of its capture's `primary`, at which new connections to one original address arrive: by the
 * original address (`169.254.169.254`).
 */
export type CapturePorts = ReadonlyMap<string, number>

/** What the kernel holds of the interception at one moment. */
export interface InterceptState {
  /**
   * Counts who claimed the traffic: each claim is one higher, and whoever writes the rules must know the current one.
   * undefined while there are no rules.
   */
  readonly generation: number | undefined
  /** Where new connections arrive. Empty while there are no rules. */
  readonly ports: CapturePorts
  /** Those of all daemons that have said within the last 8 s that they serve (`renew`), by original address. */
  readonly served: ReadonlyMap<string, ReadonlySet<number>>
  /** Are packets dropped whose source address is not routed back to where they came from? */
  readonly reversePath: boolean
  /** What is not as it should be, in words an operator understands; empty when all is in place. */
  readonly drift: readonly Drift[]
}

/** One thing that somebody else has changed. */
export interface Drift {
  /** For metrics. */
  readonly what: 'table' | 'rule' | 'address' | 'route'
  /** `the address 169.254.169.252 is not on lo`. */
  readonly message: string
}

/**
 * The rules, addresses and policy routes of this node, in one mode. Every method runs `nft` and `ip`, has a deadline of
 * 5 s, and never leaves the node between two states: each change is one transaction, and none of them opens anything.
 *
 * All throw MetadatadError: `INTERCEPT_UNAVAILABLE` (a program, a right or something of the kernel is missing: named),
 * `INTERCEPT_REFUSED` (installing would do harm: the key or overlay that mends it is named), `INTERCEPT_FAILED`.
 */
export interface Interception {
  /** What is captured on this node; without IPv6 on the node, only IPv4. */
  readonly captures: readonly Capture[]
  read(signal?: AbortSignal): Promise<InterceptState>
  /**
   * Puts everything in place that is not: what pods must not reach is cut off from here on. Rules that are in place keep
   * their generation, ports and served ports. Idempotent; two at once do no harm.
   *
   * @param routes whether the reverse-path rule may be installed: see `reversePathSafe`; undefined keeps what is there
   */
  install(
    options?: { readonly reversePath?: boolean | undefined },
    signal?: AbortSignal,
  ): Promise<InterceptState>
  /**
   * Lets new connections arrive at these ports, in one transaction that fails if anybody has claimed since `generation` was
   * read.
   *
   * @returns the new generation; undefined if somebody else was faster, or there are no rules any more
   */
  claim(ports: CapturePorts, generation: number, signal?: AbortSignal): Promise<number | undefined>
  /**
   * Tells the kernel that this daemon serves these ports for the next 8 s; SYNs for ports that nobody serves are dropped.
   *
   * @returns false if there are no rules to tell
   */
  renew(ports: ReadonlyMap<string, ReadonlySet<number>>, signal?: AbortSignal): Promise<boolean>
  /** Tells the kernel that nobody serves these ports from now on. Nothing to do where there are no rules. */
  release(ports: ReadonlyMap<string, ReadonlySet<number>>, signal?: AbortSignal): Promise<void>
  /**
   * May packets be dropped whose source address is not routed back to where they came from? Only if every given address
   * (of pods) is routed to an interface that the pods' packets come from: not under Cilium's legacy routing.
   */
  reversePathSafe(podAddresses: readonly string[], signal?: AbortSignal): Promise<boolean>
  /** Takes everything away again: pods then reach the node's own metadata server. Idempotent. */
  remove(signal?: AbortSignal): Promise<void>
  /** The exact rules, as `nft -f` takes them, and the `ip` commands, for review. */
  print(): string
}
