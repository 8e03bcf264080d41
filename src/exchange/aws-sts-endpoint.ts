import { awsPartition } from '../identity/aws-partition.ts'

/** Which of STS's endpoints is asked (`aws` of the configuration). */
export interface AwsStsEndpointOptions {
  readonly region: string
  readonly fips: boolean
  readonly dualStack: boolean
  /** Base URL that replaces them all. */
  readonly endpoint?: string | undefined
}

/**
 * The regions that SDKs ask at the global endpoint in their `legacy` mode. The sessions of the global endpoint are of no use
 * in regions that an account has to opt in to, and other partitions have no global one.
 */
const GLOBAL_REGIONS: ReadonlySet<string> = new Set([
  'ap-northeast-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
])

/**
 * The base URL of AWS STS, by the endpoint rules that all AWS SDKs share.
 *
 * @param global ask the global endpoint where there is one (`AWS_STS_REGIONAL_ENDPOINTS=legacy`); FIPS and dual-stack
 * endpoints are regional always
 */
export function awsStsEndpoint(options: AwsStsEndpointOptions, global: boolean): string {
  const { region, fips, dualStack, endpoint } = options
  if (endpoint !== undefined) return endpoint
  if (global && !fips && !dualStack && GLOBAL_REGIONS.has(region)) return 'https://sts.amazonaws.com'
  const { name, dnsSuffix, dualStackDnsSuffix } = awsPartition(region)
  // GovCloud's ordinary endpoints are FIPS endpoints.
  const service = fips && (dualStack || name !== 'aws-us-gov') ? 'sts-fips' : 'sts'
  return `https://${service}.${region}.${dualStack ? dualStackDnsSuffix : dnsSuffix}`
}
