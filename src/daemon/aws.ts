import type { AwsConfig } from '../config/config.ts'
import { AwsFactsSource } from '../endpoints/aws/aws-facts-source.ts'
import { createAwsPassthrough } from '../endpoints/aws/aws-passthrough.ts'
import type { AwsPipeline } from '../endpoints/aws/aws-pipeline.ts'
import { createAwsProtocol } from '../endpoints/aws/aws-protocol.ts'
import { loadTokenKey } from '../endpoints/aws/load-token-key.ts'
import { createContainerCredentialsProtocol } from '../endpoints/container-credentials/container-credentials-protocol.ts'
import { createAwsSts } from '../exchange/aws-sts.ts'
import { createAwsIdentityResolver } from '../identity/resolve-aws-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { KubernetesClient } from '../kubernetes/client.ts'
import { createPodTokenVerifier } from '../subject/pod-token-verifier.ts'
import type { Cloud, CloudOptions } from './cloud.ts'
import { reportingResolver } from './reporting-resolver.ts'

/** What AWS's part is made with. */
export interface AwsCloudOptions extends CloudOptions {
  readonly aws: AwsConfig
  /** For the keys of the tokens that pods present. */
  readonly client: KubernetesClient
}

/** Stacks AWS's part from the configuration. */
export async function createAwsCloud(options: AwsCloudOptions): Promise<Cloud> {
  const { config, aws, credentials, clock, log, metrics } = options
  const sts = createAwsSts({ ...options, ...aws, endpoint: aws.endpoints.sts })
  const resolver = createAwsIdentityResolver(aws, createIdentityRules(config.rules))
  // Most pods have none, and are asked about all the same: SDKs look everywhere.
  const resolve = reportingResolver(resolver.resolve, options.refused, 'IDENTITY_NONE')
  const facts = new AwsFactsSource(aws)
  const tokenKey = await loadTokenKey(config.stateDir, log)
  const verifier = createPodTokenVerifier(options)

  const pipeline: AwsPipeline = {
    resolve: ({ pod, serviceAccount }) => resolve(pod, serviceAccount),
    roleSession: (_, identity) => sts.roleSession(identity),
  }
  const shared = { pipeline, credentials, clock, log, metrics }
  const passthrough = createAwsPassthrough({
    paths: aws.passthrough,
    upstream: aws.endpoints.metadata,
    dispatcher: options.direct,
    clock,
    log,
  })
  return {
    protocol: createAwsProtocol({ ...shared, facts, config: aws, tokenKey, passthrough }),
    containerCredentials: createContainerCredentialsProtocol({
      ...shared,
      verify: (jwt, signal) => verifier.verify(jwt, signal),
      relativeUri: aws.relativeUri,
    }),
    nodeSeen: (node) => facts.update(node),
    prefetch(pod, serviceAccount) {
      try {
        return [sts.roleSession(resolve(pod, serviceAccount))]
      } catch {
        return []
      }
    },
  }
}
