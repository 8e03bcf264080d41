import { Agent, type Dispatcher } from 'undici'
import type { AwsConfig, Config } from '../config/config.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { AwsFactsSource } from '../endpoints/aws/aws-facts-source.ts'
import { createAwsPassthrough } from '../endpoints/aws/aws-passthrough.ts'
import type { AwsPipeline } from '../endpoints/aws/aws-pipeline.ts'
import { createAwsProtocol } from '../endpoints/aws/aws-protocol.ts'
import { loadTokenKey } from '../endpoints/aws/load-token-key.ts'
import { createContainerCredentialsProtocol } from '../endpoints/container-credentials/container-credentials-protocol.ts'
import { createAwsSts } from '../exchange/aws-sts.ts'
import type { AwsIdentity } from '../identity/aws-identity.ts'
import { createAwsIdentityResolver } from '../identity/resolve-aws-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { KubernetesClient } from '../kubernetes/client.ts'
import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createPodTokenVerifier } from '../subject/pod-token-verifier.ts'
import type { Cloud } from './cloud.ts'

/** What AWS's part is made with. */
export interface AwsCloudOptions {
  readonly config: Config
  readonly aws: AwsConfig
  readonly credentials: Credentials
  /** The way to AWS's APIs. */
  readonly dispatcher: Dispatcher
  /** For the keys of the tokens that pods present. */
  readonly client: KubernetesClient
  /** Told of a pod whose ServiceAccount has no usable identity. Must not throw. */
  readonly refused: (pod: Pod, error: MetadatadError) => void
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Stacks AWS's part from the configuration. */
export async function createAwsCloud(options: AwsCloudOptions): Promise<Cloud> {
  const { config, aws, credentials, clock, log, metrics } = options
  const sts = createAwsSts({ ...options, ...aws, endpoint: aws.endpoints.sts })
  const resolver = createAwsIdentityResolver(aws, createIdentityRules(config.rules))
  const facts = new AwsFactsSource(aws)
  const tokenKey = await loadTokenKey(config.stateDir, log)
  const verifier = createPodTokenVerifier(options)
  // Never through a proxy: the real metadata server is a link-local address of this node.
  const direct = new Agent()

  function resolve(pod: Pod, serviceAccount: ServiceAccount): AwsIdentity {
    try {
      return resolver.resolve(pod, serviceAccount)
    } catch (thrown) {
      const error = asError(thrown)
      // Most pods have no role, and are asked about all the same: SDKs look everywhere.
      if (error.code !== 'IDENTITY_NONE') options.refused(pod, error)
      throw thrown
    }
  }

  const pipeline: AwsPipeline = {
    resolve: ({ pod, serviceAccount }) => resolve(pod, serviceAccount),
    roleSession: (_, identity) => sts.roleSession(identity),
  }
  const shared = { pipeline, credentials, clock, log, metrics }
  const passthrough = createAwsPassthrough({
    paths: aws.passthrough,
    upstream: aws.endpoints.metadata,
    dispatcher: direct,
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
    close: () => direct.destroy(),
  }
}
