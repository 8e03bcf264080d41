import { isIPv4 } from 'node:net'
import { NodeFacts } from '../node-facts.ts'
import type { AzureFacts, AzureFactValues } from './azure-pipeline.ts'

/** The fields of a Kubernetes Node that facts are made from (`kubernetes/types.ts` Node). */
export interface AzureFactsNode {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly internalIps: readonly string[]
}

/** What the operator says. */
export interface AzureFactsOptions {
  readonly tenantId: string
  readonly cloud: 'public' | 'usgov' | 'china'
}

const ENVIRONMENTS = {
  public: 'AzurePublicCloud',
  usgov: 'AzureUSGovernmentCloud',
  china: 'AzureChinaCloud',
} as const

/** See {@link NodeFacts}. */
export class AzureFactsSource extends NodeFacts<AzureFactsNode, AzureFactValues> implements AzureFacts {
  constructor(options: AzureFactsOptions) {
    super((node) => factsOf(options, node))
  }
}

function factsOf({ tenantId, cloud }: AzureFactsOptions, node: AzureFactsNode | undefined): AzureFactValues {
  const location = node?.labels['topology.kubernetes.io/region'] ?? ''
  const zone = node?.labels['topology.kubernetes.io/zone'] ?? ''
  // AKS has `westeurope-1` for a zone, and a bare number, a fault domain, where the region has none.
  const number = zone.startsWith(`${location}-`) ? zone.slice(location.length + 1) : ''
  return {
    tenantId,
    azEnvironment: ENVIRONMENTS[cloud],
    location,
    zone: /^\d+$/.test(number) ? number : '',
    vmSize: node?.labels['node.kubernetes.io/instance-type'] ?? '',
    name: node?.name ?? '',
    privateIpAddress: node?.internalIps.find((address) => isIPv4(address)) ?? '',
  }
}
