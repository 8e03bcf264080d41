import { Agent, type Dispatcher } from 'undici'
import type { Caller } from '../caller/caller.ts'
import type { Config, GoogleConfig } from '../config/config.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { createGoogleProtocol } from '../endpoints/google/google-protocol.ts'
import { InstanceFacts } from '../endpoints/google/instance-facts.ts'
import { Passthrough } from '../endpoints/google/passthrough.ts'
import { createGoogleTokens } from '../exchange/google-tokens.ts'
import type { GoogleIdentity } from '../identity/google-identity.ts'
import type { GoogleTrust } from '../identity/google-trust.ts'
import { createGoogleIdentityResolver } from '../identity/resolve-google-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Cloud } from './cloud.ts'

/** What Google's part is made with. */
export interface GoogleCloudOptions {
  readonly config: Config
  readonly google: GoogleConfig
  readonly credentials: Credentials
  /** The way to Google's APIs. */
  readonly dispatcher: Dispatcher
  /** Told of a pod whose ServiceAccount has no usable identity. Must not throw. */
  readonly refused: (pod: Pod, error: MetadatadError) => void
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Stacks Google's part from the configuration. */
export function createGoogleCloud(options: GoogleCloudOptions): Cloud {
  const { config, google, credentials, clock, log, metrics } = options
  const trust = trustOf(google)
  const tokens = createGoogleTokens({ ...options, ...google, trust, defaultScopes: google.scopes })
  const rules = createIdentityRules(config.rules)
  const resolver = createGoogleIdentityResolver({ trust, unannotated: google.unannotated }, rules)
  const facts = new InstanceFacts({
    projectId: google.projectId,
    numericProjectId: google.projectNumber,
    nodeName: config.node.name,
    clusterName: config.cluster.name,
    clusterLocation: config.cluster.location,
    clusterUid: config.cluster.uid,
    universeDomain: google.universeDomain,
  })
  // Never through a proxy: the real metadata server is a link-local address of this node.
  const direct = new Agent()

  function resolve(pod: Pod, serviceAccount: ServiceAccount): GoogleIdentity {
    try {
      return resolver.resolve(pod, serviceAccount)
    } catch (thrown) {
      options.refused(pod, asError(thrown))
      throw thrown
    }
  }

  return {
    protocol: createGoogleProtocol({
      pipeline: { ...tokens, resolve: (caller: Caller) => resolve(caller.pod, caller.serviceAccount) },
      credentials,
      facts,
      hosts: google.hosts,
      passthrough: new Passthrough({
        paths: google.passthrough,
        upstream: google.endpoints.metadata,
        dispatcher: direct,
        clock,
        log,
      }),
      clock,
      log,
      metrics,
    }),
    nodeSeen: (node) => facts.update(node),
    prefetch(pod, serviceAccount) {
      try {
        const identity = resolve(pod, serviceAccount)
        // The federated identity is every pod's that has no other: most will never ask.
        if (identity.serviceAccountEmail === undefined) return []
        return [tokens.accessToken(identity, tokens.defaultScopes)]
      } catch {
        return []
      }
    },
    close: () => direct.destroy(),
  }
}

function trustOf(google: GoogleConfig): GoogleTrust {
  if (google.workloadIdentityProvider !== undefined) {
    const { workloadIdentityProvider: provider, audience, subject } = google
    return { kind: 'pool', provider, audience, subject }
  }
  return {
    kind: 'namespace',
    // The configuration refuses one without the other.
    identityNamespace: google.identityNamespace!,
    identityProvider: google.identityProvider!,
    projectNumber: google.projectNumber,
  }
}
