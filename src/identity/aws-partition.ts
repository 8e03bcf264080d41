/** A part of AWS with accounts, an identity service and DNS names of its own. */
export interface AwsPartition {
  /** As ARNs spell it: `aws`, `aws-cn`, … */
  readonly name: string
  readonly dnsSuffix: string
  /** Of endpoints that are reached by IPv4 and IPv6. */
  readonly dualStackDnsSuffix: string
}

/** By the beginning of their regions' names; facts of the endpoint rules that all AWS SDKs share (`partitions.json`). */
const PARTITIONS: readonly (readonly [prefix: string, partition: AwsPartition])[] = [
  ['cn-', partition('aws-cn', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn')],
  ['us-gov-', partition('aws-us-gov', 'amazonaws.com', 'api.aws')],
  ['us-iso-', partition('aws-iso', 'c2s.ic.gov', 'api.aws.ic.gov')],
  ['us-isob-', partition('aws-iso-b', 'sc2s.sgov.gov', 'api.aws.scloud')],
  ['eu-isoe-', partition('aws-iso-e', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk')],
  ['us-isof-', partition('aws-iso-f', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov')],
  ['eusc-', partition('aws-eusc', 'amazonaws.eu', 'api.amazonwebservices.eu')],
]
const COMMERCIAL = partition('aws', 'amazonaws.com', 'api.aws')

/** The partition that a region belongs to; the commercial one for every name that no other partition has. */
export function awsPartition(region: string): AwsPartition {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? COMMERCIAL
}

function partition(name: string, dnsSuffix: string, dualStackDnsSuffix: string): AwsPartition {
  return { name, dnsSuffix, dualStackDnsSuffix }
}
