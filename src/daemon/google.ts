import type { Dispatcher } from 'undici'
import type { Config, GoogleConfig } from '../config/config.ts'
import type { GooglePipeline } from '../endpoints/google/google-pipeline.ts'
import { InstanceFacts } from '../endpoints/google/instance-facts.ts'
import type { CredentialSpec } from '../exchange/credential-spec.ts'
import { createGoogleTokens } from '../exchange/google-tokens.ts'
import type { GoogleTrust } from '../identity/google-trust.ts'
import { createGoogleIdentityResolver } from '../identity/resolve-google-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'

/** What Google's part is made with. */
export interface GoogleParts {
  readonly config: Config
  readonly google: GoogleConfig
  readonly dispatcher: Dispatcher
  /** Told of a pod that can have no identity, when it is bound to the node. */
  readonly refused: (pod: Pod, error: MetadatadError) => void
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Google's part of the daemon: identity, exchange and facts, stacked for the endpoints and for prefetching. */
export interface GoogleCloud {
  readonly pipeline: GooglePipeline
  readonly facts: InstanceFacts
  /** What the pod will surely ask for: the access token of its annotated identity with the default scopes. */
  prefetch(pod: Pod, serviceAccount: ServiceAccount): readonly CredentialSpec[]
}

/** Stacks Google's part from the configuration. */
export function createGoogleCloud(parts: GoogleParts): GoogleCloud {
  const { config, google } = parts
  const trust = trustOf(google)
  const tokens = createGoogleTokens({ ...parts, ...google, trust, defaultScopes: google.scopes })
  const resolver = createGoogleIdentityResolver(
    { trust, unannotated: google.unannotated },
    createIdentityRules(config.rules),
  )
  const facts = new InstanceFacts({
    projectId: google.projectId,
    numericProjectId: google.projectNumber,
    nodeName: config.node.name,
    clusterName: config.cluster.name,
    clusterLocation: config.cluster.location,
    clusterUid: config.cluster.uid,
    universeDomain: google.universeDomain,
  })
  return {
    pipeline: {
      defaultScopes: tokens.defaultScopes,
      resolve: (caller) => resolver.resolve(caller.pod, caller.serviceAccount),
      accessToken: (identity, scopes) => tokens.accessToken(identity, scopes),
      idToken: (identity, audience) => tokens.idToken(identity, audience),
    },
    facts,
    prefetch(pod, serviceAccount) {
      try {
        const identity = resolver.resolve(pod, serviceAccount)
        if (identity.serviceAccountEmail === undefined) return []
        return [tokens.accessToken(identity, tokens.defaultScopes)]
      } catch (thrown) {
        parts.refused(pod, asError(thrown))
        return []
      }
    },
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
