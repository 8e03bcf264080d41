/** What the load generator is asked to do; passed to its process as JSON. */
export interface Load {
  readonly port: number
  /** Source addresses; connections take them in turn. */
  readonly from: readonly string[]
  readonly connections: number
  /** Path and query of every request. */
  readonly target: string
  /** How long to ask, in milliseconds; 0 for one request on each connection. */
  readonly ms: number
  /** Asked before that without being counted, in milliseconds. */
  readonly warmUpMs: number
  /** The server's process, whose CPU time is read at both ends of the measured time. */
  readonly serverPid: number
}

/** What came of it. */
export interface LoadResult {
  /** Answers with status 200. */
  readonly answers: number
  /** Answers by any other status, and `broken` for connections that ended. */
  readonly failures: Readonly<Record<string, number>>
  /** From the first to the last moment of the measurement. */
  readonly seconds: number
  /** CPU time that the server's process used meanwhile, all its threads together. */
  readonly serverCpuSeconds: number
  /** CPU time of the load generator itself in all, start included. */
  readonly ownCpuSeconds: number
  /** Milliseconds from sending a request to its whole answer. */
  readonly p50: number
  readonly p99: number
}
