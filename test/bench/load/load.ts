/** One that asks. */
export interface LoadClient {
  /** Its source address. */
  readonly address: string
  /** Path and query of each of its requests. */
  readonly target: string
  /** Of each of its requests. */
  readonly headers: Readonly<Record<string, string>>
}

/** What the load generator is asked to do; passed to its process as JSON. */
export interface Load {
  readonly port: number
  /** Connections take them in turn. */
  readonly from: readonly LoadClient[]
  readonly connections: number
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
