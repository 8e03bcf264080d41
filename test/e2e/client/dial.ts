/** One thing that a client in a pod tries to reach. */
export interface Dial {
  /** `tcp` asks for `path` once it is connected; `udp` sends a datagram and waits for one. */
  readonly protocol: 'tcp' | 'udp'
  readonly host: string
  readonly port: number
  /** `/` if absent. */
  readonly path?: string
  /** Sent besides those that Google's clients send. */
  readonly headers?: Readonly<Record<string, string>>
  /** The source address, if not the pod's usual one. */
  readonly from?: string
}

/** What came of it. */
export interface DialResult extends Dial {
  /**
   * `answered`, with what it said; `silent`: nothing came within the time, not even a refusal; or the error's code
   * (`ECONNREFUSED`, `EHOSTUNREACH`, …).
   */
  readonly outcome: string
  readonly text: string
}
