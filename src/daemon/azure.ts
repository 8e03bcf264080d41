import type { AzureConfig } from '../config/config.ts'
import { AzureFactsSource } from '../endpoints/azure/azure-facts-source.ts'
import { createAzurePassthrough } from '../endpoints/azure/azure-passthrough.ts'
import { createAzureProtocol } from '../endpoints/azure/azure-protocol.ts'
import { createEntra } from '../exchange/azure-entra.ts'
import { createAzureIdentityResolver } from '../identity/resolve-azure-identity.ts'
import { createIdentityRules } from '../identity/rules.ts'
import type { Cloud, CloudOptions } from './cloud.ts'
import { reportingResolver } from './reporting-resolver.ts'

/** What Azure's part is made with. */
export interface AzureCloudOptions extends CloudOptions {
  readonly azure: AzureConfig
}

/** What most programs that use Azure ask for first: with a slash at its end it would be another resource to Entra. */
const RESOURCE_MANAGER: Readonly<Record<AzureConfig['cloud'], string>> = {
  public: 'https://management.azure.com',
  usgov: 'https://management.usgovcloudapi.net',
  china: 'https://management.chinacloudapi.cn',
}

/** Stacks Azure's part from the configuration. */
export function createAzureCloud(options: AzureCloudOptions): Cloud {
  const { config, azure, credentials, clock, log, metrics } = options
  const entra = createEntra({ ...options, ...azure, authority: azure.endpoints.authority })
  const resolver = createAzureIdentityResolver(azure, createIdentityRules(config.rules))
  // Most pods have none, and are asked about all the same: SDKs look everywhere.
  const resolve = reportingResolver(resolver.resolve, options.refused, 'IDENTITY_NONE')
  const facts = new AzureFactsSource(azure)

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
        const identity = resolve(pod, serviceAccount)
        if (identity.clientId === undefined) return []
        const clientId = resolver.clientId(identity, undefined)
        return [entra.accessToken(identity, clientId, RESOURCE_MANAGER[azure.cloud])]
      } catch {
        return []
      }
    },
  }
}
