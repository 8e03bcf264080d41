import t from 'tap'
import * as v from 'valibot'
import { awsSchema } from '../../src/config/aws-schema.ts'
import { distillAws } from '../../src/config/distill-aws.ts'

const load = (raw: Record<string, unknown>) => distillAws(v.parse(awsSchema, { region: 'eu-west-1', ...raw }))
const refused = (raw: Record<string, unknown>) => !v.is(awsSchema, { region: 'eu-west-1', ...raw })

t.test('a region is all that it takes', async (t) => {
  t.strictSame(load({}), {
    region: 'eu-west-1',
    audience: 'sts.amazonaws.com',
    sessionSeconds: 3_600,
    fips: false,
    dualStack: false,
    imdsV1: true,
    podRoleAnnotation: false,
    roleArnPrefix: undefined,
    relativeUri: false,
    passthrough: [],
    endpoints: { sts: undefined, metadata: 'http://169.254.169.254' },
  })
  t.notOk(v.is(awsSchema, {}))
})

t.test('every key can be set', async (t) => {
  const raw = {
    region: 'us-gov-west-1',
    audience: 'my-cluster',
    fips: true,
    dualStack: true,
    imdsV1: false,
    podRoleAnnotation: true,
    roleArnPrefix: 'arn:aws-us-gov:iam::123456789012:role/team/',
    relativeUri: true,
    passthrough: ['/latest/meta-data/spot/instance-action'],
  }
  t.strictSame(load({ ...raw, sessionDuration: '12h', endpoints: { sts: 'https://sts.internal' } }), {
    ...raw,
    sessionSeconds: 43_200,
    endpoints: { sts: 'https://sts.internal', metadata: 'http://169.254.169.254' },
  })
})

for (const raw of [
  { region: 'eu' },
  { region: 'EU-WEST-1' },
  { region: 'eu-west-1.example.com' },
  { region: 'eu-west-1/' },
  { audience: '' },
  { audience: 'a b' },
  { sessionDuration: '14m' },
  { sessionDuration: '13h' },
  { roleArnPrefix: 'arn:aws:iam::123456789012:role' },
  { roleArnPrefix: 'arn:aws:iam::123456789012:role/x' },
  { roleArnPrefix: 'arn:aws:iam::1:role/' },
  { endpoints: { sts: 'http://sts.internal' } },
  { endpoints: { sts: 'https://sts.internal/' } },
  { endpoints: { metadata: 'https://169.254.169.254' } },
  { passthrough: ['/latest/user-data'] },
  { sessionSeconds: 3_600 },
  { fips: 'yes' },
]) {
  t.test(`refuses ${JSON.stringify(raw)}`, async (t) => t.ok(refused(raw)))
}
