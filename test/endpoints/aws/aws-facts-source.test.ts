import t from 'tap'
import { AwsFactsSource } from '../../../src/endpoints/aws/aws-facts-source.ts'
import { NODE } from './start-aws.ts'

const start = (region = 'us-east-2') => new AwsFactsSource({ region })

t.test('facts come from the configuration and the Node', async (t) => {
  const facts = start()
  t.match(facts.current(), { region: 'us-east-2', availabilityZone: undefined, instanceId: undefined })
  facts.update(NODE)
  t.strictSame(facts.current(), {
    region: 'us-east-2',
    partition: 'aws',
    dnsSuffix: 'amazonaws.com',
    availabilityZone: 'us-east-2b',
    availabilityZoneId: 'use2-az2',
    instanceId: 'i-0123456789abcdef0',
    instanceType: 'm7g.large',
    localIpv4: '10.0.1.2',
    hostname: 'ip-10-0-1-2.us-east-2.compute.internal',
    architecture: 'arm64',
    pendingAt: NODE.createdAt,
  })
})

t.test('the partition follows from the region', async (t) => {
  t.match(start('cn-north-1').current(), { partition: 'aws-cn', dnsSuffix: 'amazonaws.com.cn' })
  t.match(start('us-gov-west-1').current(), { partition: 'aws-us-gov', dnsSuffix: 'amazonaws.com' })
})

t.test('a heartbeat changes nothing, not even the object', async (t) => {
  const facts = start()
  facts.update(NODE)
  const before = facts.current()
  facts.update({ ...NODE, labels: { ...NODE.labels, other: 'x' } })
  t.equal(facts.current(), before)
  facts.update({ ...NODE, hostname: 'other' })
  t.equal(facts.current().hostname, 'other')
})

t.test('the zone without its last letter is always the region', async (t) => {
  for (const zone of ['us-west-2-lax-1a', 'europe-west1-b', 'us-east-2', 'us-east-2bb', '', undefined]) {
    const facts = start()
    const labels: Record<string, string> = zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }
    facts.update({ ...NODE, labels })
    t.equal(facts.current().availabilityZone, 'us-east-2a', String(zone))
  }
})

t.test('only a provider ID of EC2 has an instance ID', async (t) => {
  for (const providerId of [
    undefined,
    '',
    'gce://p/z/i-0123456789',
    'aws:///us-east-2b/fargate-ip',
    'kind://x/y/z',
  ]) {
    const facts = start()
    facts.update({ ...NODE, providerId })
    t.equal(facts.current().instanceId, undefined, String(providerId))
  }
})
