import { isIPv4 } from 'node:net'
import { awsPartition } from '../../identity/aws-partition.ts'
import { NodeFacts } from '../node-facts.ts'
import type { AwsFacts, AwsFactValues } from './aws-pipeline.ts'

/** The fields of a Kubernetes Node that facts are made from (`kubernetes/types.ts` Node). */
export interface AwsFactsNode {
  readonly name: string
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  readonly providerId: string | undefined
  readonly internalIps: readonly string[]
  readonly hostname: string | undefined
}

/** What the operator says. */
export interface AwsFactsOptions {
  readonly region: string
}

/** EC2's words for `kubernetes.io/arch`. */
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'arm64' }

/** See {@link NodeFacts}. */
export class AwsFactsSource extends NodeFacts<AwsFactsNode, AwsFactValues> implements AwsFacts {
  constructor(options: AwsFactsOptions) {
    super((node) => factsOf(options, node))
  }
}

function factsOf({ region }: AwsFactsOptions, node: AwsFactsNode | undefined): AwsFactValues {
  const { name: partition, dnsSuffix } = awsPartition(region)
  return {
    region,
    partition,
    dnsSuffix,
    availabilityZone: node && zoneOf(region, node),
    availabilityZoneId: node?.labels['topology.k8s.aws/zone-id'],
    instanceId: /^aws:\/\/\/[^/]+\/(i-[0-9a-f]{8,32})$/.exec(node?.providerId ?? '')?.[1],
    instanceType: node?.labels['node.kubernetes.io/instance-type'],
    localIpv4: node?.internalIps.find((address) => isIPv4(address)),
    hostname: node?.hostname ?? node?.name,
    architecture: ARCHITECTURES[node?.labels['kubernetes.io/arch'] ?? ''],
    pendingAt: node?.createdAt,
  }
}

/**
 * botocore takes the region to be this without its last letter: that must hold on a node of a Local Zone (`us-west-2-lax-1a`), of
 * another cloud or of none too.
 */
function zoneOf(region: string, node: AwsFactsNode): string {
  const zone = node.labels['topology.kubernetes.io/zone'] ?? ''
  return zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length)) ? zone : `${region}a`
}
