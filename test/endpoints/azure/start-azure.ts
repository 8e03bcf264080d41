import { AzureFactsSource } from '../../../src/endpoints/azure/azure-facts-source.ts'
import type { AzureAccessToken, AzurePipeline } from '../../../src/endpoints/azure/azure-pipeline.ts'
import { createAzureProtocol } from '../../../src/endpoints/azure/azure-protocol.ts'
import type { Passthrough } from '../../../src/endpoints/passthrough.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { MetadatadError } from '../../../src/lib/errors.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { failure, type TestCaller, testCaller } from '../../support/endpoint-fixture.ts'
import { startProtocols } from '../start-protocols.ts'

/** The node as the kubelet of an AKS node describes it. */
export const NODE = {
  name: 'aks-pool-1234-vmss000000',
  labels: {
    'topology.kubernetes.io/region': 'westeurope',
    'topology.kubernetes.io/zone': 'westeurope-2',
    'node.kubernetes.io/instance-type': 'Standard_D4s_v5',
  },
  internalIps: ['fd00::1', '10.224.0.4'],
}

/**
 * Every pod is the application `NAME-app`; `other-app` may be asked for too, by every kind of selector (`other-object`, …).
 * Tokens say whose they are.
 */
export function azurePipeline(clock: Clock): AzurePipeline {
  return {
    resolve(caller) {
      const { identity } = caller as TestCaller
      if (identity instanceof MetadatadError) throw identity
      return {
        cloud: 'azure',
        holder: { namespace: caller.pod.namespace, serviceAccount: caller.serviceAccount.name },
        clientId: `${caller.pod.name}-app`,
        tenantId: 'tenant',
        tokenExpirationSeconds: undefined,
      }
    },
    clientId(identity, selector) {
      if (selector === undefined) return identity.clientId!
      const other = {
        clientId: 'other-app',
        objectId: 'other-object',
        resourceId: '/other',
        principalId: 'other-principal',
      }
      if (selector.value === other[selector.kind]) return 'other-app'
      if (selector.kind === 'clientId' && selector.value === identity.clientId) return selector.value
      throw failure('IDENTITY_NONE', false, 'Use one that is known.')
    },
    accessToken(_identity, clientId, resource) {
      if (resource === 'https://unknown') throw failure('REQUEST_INVALID', false, 'No such resource.')
      return {
        key: `azure ${clientId} ${resource}`,
        kind: 'test',
        identity: clientId,
        shareBy: 'serviceAccount',
        minimumRemainingMs: 0,
        async obtain({ holder }): Promise<AzureAccessToken> {
          const now = clock.now()
          return {
            token: new Secret(`eyJ.${clientId}.${resource}.${holder.uid}`),
            notBefore: now - 5_000,
            expiresAt: now + 3_599_900,
            digest: 'sha256:0',
          }
        },
      }
    },
  }
}

/** The Azure endpoint alone. 127.0.0.1 is the pod `alpha`, 127.0.0.2 the pod `beta`. */
export async function startAzure(
  t: Parameters<typeof startProtocols>[0],
  options: { clock?: Clock; passthrough?: (clock: Clock) => Passthrough } = {},
) {
  const facts = new AzureFactsSource({ tenantId: 'the-tenant', cloud: 'public' })
  facts.update(NODE)
  const endpoints = await startProtocols(
    t,
    (parts) => [
      createAzureProtocol({
        ...parts,
        pipeline: azurePipeline(parts.clock),
        facts,
        passthrough: options.passthrough?.(parts.clock),
      }),
    ],
    options,
  )
  endpoints.identifier.set('127.0.0.1', testCaller('alpha'))
  endpoints.identifier.set('127.0.0.2', testCaller('beta'))
  /** With the header. */
  const get = (path: string, from?: string) => {
    const headers = { Metadata: 'true' }
    return endpoints.ask(path, from === undefined ? { headers } : { headers, from })
  }
  return { ...endpoints, facts, get }
}
