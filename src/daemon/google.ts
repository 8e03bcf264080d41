import type { Caller } from '../caller/caller.ts'
import type { GoogleConfig } from '../config/config.ts'
import { createGooglePassthrough } from '../endpoints/google/google-passthrough.ts'
import { createGoogleProtocol } from '../endpoints/google/google-protocol.ts'
import { InstanceFacts } from '../endpoints/google/instance-facts.ts'
import { createGoogleTokens } from '../exchange/google-tokens.ts'
import type { GoogleTrust } from '../identity/google-trust.ts'
import { createGoogleIdentityResolver } from '../identity/resolve-google-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { Cloud, CloudOptions } from './cloud.ts'
import { reportingResolver } from './reporting-resolver.ts'

/** What Google's part is made with. */
export interface GoogleCloudOptions extends CloudOptions {
  readonly google: GoogleConfig
}

/** Stacks Google's part from the configuration. */
export function createGoogleCloud(options: GoogleCloudOptions): Cloud {
  const { config, google, credentials, clock, log, metrics } = options
  const trust = trustOf(google)
  const tokens = createGoogleTokens({ ...options, ...google, trust, defaultScopes: google.scopes })
  const rules = createIdentityRules(config.rules)
  const resolver = createGoogleIdentityResolver({ trust, unannotated: google.unannotated }, rules)
  const resolve = reportingResolver(resolver.resolve, options.refused)
  // A pod that never asks for a Google identity does not lack one.
  const foresee = reportingResolver(resolver.resolve, options.refused, 'IDENTITY_NONE')
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
    protocol: createGoogleProtocol({
      pipeline: { ...tokens, resolve: (caller: Caller) => resolve(caller.pod, caller.serviceAccount) },
      credentials,
      facts,
      hosts: google.hosts,
      passthrough: createGooglePassthrough({
        paths: google.passthrough,
        upstream: google.endpoints.metadata,
        dispatcher: options.direct,
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
        const identity = foresee(pod, serviceAccount)
        // The federated identity is every pod's that has no other: most will never ask.
        if (identity.serviceAccountEmail === undefined) return []
        return [tokens.accessToken(identity, tokens.defaultScopes)]
      } catch {
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
