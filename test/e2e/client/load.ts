/** Who gives identities. */
export type CloudName = 'google' | 'aws' | 'azure'

/** Workers of a load client that do the same; each has one request under way at a time. */
export interface LoadGroup {
  /** A connection for each request, or one that is kept (and opened again when it is gone) as SDKs' pools do. */
  readonly connections: 'new' | 'kept-alive'
  readonly workers: number
  /** Between two requests of a worker, in milliseconds. */
  readonly pauseMs: number
  /** `http://169.254.169.254`. */
  readonly origin: string
  /** Whose metadata is asked for; Google's if absent. */
  readonly cloud?: CloudName
}

/** What a load client is asked to do; passed to its process as JSON. */
export interface Load {
  readonly groups: readonly LoadGroup[]
  /** The identities that the pod must be told. */
  readonly email: string
  readonly roleName: string
  /** For each request, from dialling to the end of its answer, in milliseconds that this process runs; Google's clients wait 3 s. */
  readonly timeoutMs: number
  /** It ends by itself after this time, in milliseconds, or so many requests. */
  readonly maxMs: number
  readonly maxRequests: number
}

/** A request that did not end well. */
export interface FailedRequest {
  /** When it was begun, and when it had failed, in milliseconds since the epoch. */
  readonly at: number
  readonly until: number
  readonly connections: LoadGroup['connections']
}

/** How requests ended. */
export interface LoadResult {
  readonly requests: number
  readonly ok: number
  /** Connections that the other end refused. */
  readonly refused: number
  /** Connections that the other end broke before the answer was complete; kept ones, idle until this request, apart. */
  readonly reset: number
  readonly keptReset: number
  readonly timeouts: number
  /** Those that the daemon held for as long as it may and then told to try again, and that were tried again. No failures. */
  readonly heldInVain: number
  /** Any other end: by status or error code. */
  readonly unexpected: Readonly<Record<string, number>>
  readonly failed: readonly FailedRequest[]
  /** Answers with an e-mail or a role that is not the pod's own. */
  readonly wrongIdentities: number
  /** The slowest answer, in milliseconds. */
  readonly slowestMs: number
  /** What names every credential that was given out: access tokens, and the IDs of AWS's access keys. */
  readonly tokens: Readonly<Record<CloudName, readonly string[]>>
}
