import type { Answer } from '../answer.ts'
import type { AwsFactValues } from './aws-pipeline.ts'
import { ec2Text } from './ec2-answer.ts'

/** Listed here, answered elsewhere: they depend on who asks. */
const OF_THE_CALLER = [
  'meta-data/iam/info',
  'meta-data/iam/security-credentials/',
  'dynamic/instance-identity/document',
]

/**
 * Everything below a version (`/latest/`) that is the same for every pod: values, and the listings of directories, by path
 * without slashes at either end; and by `/` that of the versions. A fact that is absent is not in it.
 */
export function metadataValues(facts: AwsFactValues): ReadonlyMap<string, Answer> {
  const values: Readonly<Record<string, string | undefined>> = {
    'meta-data/hostname': facts.hostname,
    'meta-data/instance-id': facts.instanceId,
    'meta-data/instance-type': facts.instanceType,
    'meta-data/local-hostname': facts.hostname,
    'meta-data/local-ipv4': facts.localIpv4,
    'meta-data/placement/availability-zone': facts.availabilityZone,
    'meta-data/placement/availability-zone-id': facts.availabilityZoneId,
    'meta-data/placement/region': facts.region,
    'meta-data/services/domain': facts.dnsSuffix,
    'meta-data/services/partition': facts.partition,
  }
  const answers = new Map<string, Answer>()
  const listings = new Map<string, Set<string>>()
  for (const path of OF_THE_CALLER) list(path, listings)
  for (const [path, value] of Object.entries(values)) {
    if (value === undefined || value === '') continue
    // No newline at the end: clients put values into URLs and headers as they are.
    answers.set(path, ec2Text('value', 200, value))
    list(path, listings)
  }
  for (const [path, names] of listings) {
    answers.set(path, ec2Text('value', 200, [...names].sort().join('\n')))
  }
  answers.set('/', ec2Text('value', 200, 'latest'))
  return answers
}

/** Puts a path into the listings of all directories above it. */
function list(path: string, listings: Map<string, Set<string>>): void {
  const segments = path.replace(/\/$/, '').split('/')
  for (const [depth, segment] of segments.entries()) {
    const directory = segments.slice(0, depth).join('/')
    const isDirectory = depth < segments.length - 1 || path.endsWith('/')
    const names = listings.get(directory) ?? new Set()
    // EC2 lists what is right below a version without the slash.
    names.add(isDirectory && depth > 0 ? `${segment}/` : segment)
    listings.set(directory, names)
  }
}
