import type { Protocol } from '../endpoints/protocol.ts'
import type { CredentialSpec } from '../exchange/credential-spec.ts'
import type { Node, Pod, ServiceAccount } from '../kubernetes/types.ts'

/** One cloud, stacked from its identity, its exchange and its endpoint: all that the daemon knows of it. */
export interface Cloud {
  readonly protocol: Protocol
  /** What is answered at `listen.containerCredentials`, by the cloud that has such a thing. */
  readonly containerCredentials?: Protocol
  /** What the pod will surely ask for. Must not throw. */
  prefetch(pod: Pod, serviceAccount: ServiceAccount): readonly CredentialSpec[]
  /** A new state of the Node that the daemon runs on. */
  nodeSeen(node: Node): void
  close(): Promise<void>
}
