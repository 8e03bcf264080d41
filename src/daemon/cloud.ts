import type { Dispatcher } from 'undici'
import type { Config } from '../config/config.ts'
import type { Credentials } from '../credentials/credentials.ts'
import type { Protocol } from '../endpoints/protocol.ts'
import type { CredentialSpec } from '../exchange/credential-spec.ts'
import type { Node, Pod, ServiceAccount } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'

/** What every cloud's part is made with. */
export interface CloudOptions {
  readonly config: Config
  readonly credentials: Credentials
  /** The way to the cloud's APIs. */
  readonly dispatcher: Dispatcher
  /** The way to the real metadata server. */
  readonly direct: Dispatcher
  /** Told of a pod whose ServiceAccount has no usable identity. Must not throw. */
  readonly refused: (pod: Pod, error: MetadatadError) => void
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** One cloud, stacked from its identity, its exchange and its endpoint: all that the daemon knows of it. */
export interface Cloud {
  readonly protocol: Protocol
  /** What is answered at `listen.containerCredentials`, by the cloud that has such a thing. */
  readonly containerCredentials?: Protocol
  /** What the pod will surely ask for. Must not throw. */
  prefetch(pod: Pod, serviceAccount: ServiceAccount): readonly CredentialSpec[]
  /** A new state of the Node that the daemon runs on. */
  nodeSeen(node: Node): void
}
