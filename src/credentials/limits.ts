/** What one pod, and the node, may cost. */
export interface CredentialLimits {
  /** Different credentials of one pod; beyond, its least recently used idle one goes. */
  readonly entriesPerPod: number
  /** Different credentials of all pods. */
  readonly entriesPerNode: number
  /** Credentials obtained at one time because one pod waits for them. */
  readonly flightsPerPod: number
  /** Credentials obtained in a row because one pod asks for them ... */
  readonly launchBurst: number
  /** ... and for how many more a second later. */
  readonly launchesPerSecond: number
  /** Credentials of one kind obtained at one time although nobody waits: prefetch and renewal, all pods together. */
  readonly prefetchConcurrency: number
  /** Prefetches of the first half minute, when the daemon meets all pods at once, begin within this many milliseconds. */
  readonly prefetchSpreadMs: number
  /** Milliseconds that obtaining one credential may take. */
  readonly flightMs: number
  /** Milliseconds (give or take a fifth) for which a refusal is answered without asking again. */
  readonly refusalMs: number
}

/** Limits of a node with 110 pods and a cloud that answers in 0.1 s. */
export const DEFAULT_LIMITS: CredentialLimits = {
  entriesPerPod: 64,
  entriesPerNode: 20_000,
  flightsPerPod: 8,
  launchBurst: 64,
  launchesPerSecond: 4,
  prefetchConcurrency: 16,
  prefetchSpreadMs: 1_000,
  flightMs: 10_000,
  refusalMs: 10_000,
}
