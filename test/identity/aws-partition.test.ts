import t from 'tap'
import { awsPartition } from '../../src/identity/aws-partition.ts'

t.test('every partition is known by its regions', async (t) => {
  const cases: [region: string, name: string, dnsSuffix: string, dualStack: string][] = [
    ['eu-west-1', 'aws', 'amazonaws.com', 'api.aws'],
    ['us-east-1', 'aws', 'amazonaws.com', 'api.aws'],
    ['mx-central-1', 'aws', 'amazonaws.com', 'api.aws'],
    ['cn-northwest-1', 'aws-cn', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
    ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com', 'api.aws'],
    ['us-iso-east-1', 'aws-iso', 'c2s.ic.gov', 'api.aws.ic.gov'],
    ['us-isob-east-1', 'aws-iso-b', 'sc2s.sgov.gov', 'api.aws.scloud'],
    ['eu-isoe-west-1', 'aws-iso-e', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
    ['us-isof-south-1', 'aws-iso-f', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
    ['eusc-de-east-1', 'aws-eusc', 'amazonaws.eu', 'api.amazonwebservices.eu'],
  ]
  for (const [region, name, dnsSuffix, dualStackDnsSuffix] of cases) {
    t.strictSame(awsPartition(region), { name, dnsSuffix, dualStackDnsSuffix }, region)
  }
})
