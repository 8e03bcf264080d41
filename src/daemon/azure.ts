import { Agent, type Dispatcher } from 'undici'
import type { AzureConfig, Config } from '../config/config.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { AzureFactsSource } from '../endpoints/azure/azure-facts-source.ts'
import { createAzurePassthrough } from '../endpoints/azure/azure-passthrough.ts'
import { createAzureProtocol } from '../endpoints/azure/azure-protocol.ts'
import { createEntra } from '../exchange/azure-entra.ts'
import type { AzureIdentity } from '../identity/azure-identity.ts'
import { createAzureIdentityResolver } from '../identity/resolve-azure-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Cloud } from './cloud.ts'

/** What Azure's part is made with. */
export interface AzureCloudOptions {
  readonly config: Config
  readonly azure: AzureConfig
  readonly credentials: Credentials
  /** The way to Entra. */
  readonly dispatcher: Dispatcher
  /** Told of a pod whose ServiceAccount has no usable identity. Must not throw. */
  readonly refused: (pod: Pod, error: MetadatadError) => void
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** What nearly every program that uses Azure asks for first. */
const RESOURCE_MANAGER: Readonly<Record<AzureConfig['cloud'], string>> = {
  public: 'https://management.azure.com/',
  usgov: 'https://management.usgovcloudapi.net/',
  china: 'https://management.chinacloudapi.cn/',
}

/** Stacks Azure's part from the configuration. */
export function createAzureCloud(options: AzureCloudOptions): Cloud {
  const { config, azure, credentials, clock, log, metrics } = options
  const entra = createEntra({ ...options, ...azure, authority: azure.endpoints.authority })
  const resolver = createAzureIdentityResolver(azure, createIdentityRules(config.rules))
  const facts = new AzureFactsSource(azure)
  // Never through a proxy: the real metadata server is a link-local address of this node.
  const direct = new Agent()

  function resolve(pod: Pod, serviceAccount: ServiceAccount): AzureIdentity {
    try {
      return resolver.resolve(pod, serviceAccount)
    } catch (thrown) {
      const error = asError(thrown)
      if (error.code !== 'IDENTITY_NONE') options.refused(pod, error)
      throw thrown
    }
  }

  return {
    protocol: createAzureProtocol({
      pipeline: {
        resolve: ({ pod, serviceAccount }) => resolve(pod, serviceAccount),
        clientId: (identity, selector) => resolver.clientId(identity, selector),
        accessToken: (identity, clientId, resource) => entra.accessToken(identity, clientId, resource),
      },
      credentials,
      facts,
      passthrough: createAzurePassthrough({
        paths: azure.passthrough,
        upstream: azure.endpoints.metadata,
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
        if (identity.clientId === undefined) return []
        const clientId = resolver.clientId(identity, undefined)
        return [entra.accessToken(identity, clientId, RESOURCE_MANAGER[azure.cloud])]
      } catch {
        return []
      }
    },
    close: () => direct.destroy(),
  }
}
