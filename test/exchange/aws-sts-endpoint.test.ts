import t from 'tap'
import { awsStsEndpoint } from '../../src/exchange/aws-sts-endpoint.ts'

const endpoint = (
  region: string,
  change: { fips?: boolean; dualStack?: boolean; endpoint?: string } = {},
  global = false,
) => awsStsEndpoint({ region, fips: false, dualStack: false, ...change }, global)

t.test('the endpoint is the one that AWS SDKs would ask', async (t) => {
  t.equal(endpoint('eu-west-1'), 'https://sts.eu-west-1.amazonaws.com')
  t.equal(endpoint('cn-north-1'), 'https://sts.cn-north-1.amazonaws.com.cn')
  t.equal(endpoint('eusc-de-east-1'), 'https://sts.eusc-de-east-1.amazonaws.eu')
  t.equal(endpoint('us-iso-east-1'), 'https://sts.us-iso-east-1.c2s.ic.gov')
})

t.test('FIPS and dual-stack endpoints', async (t) => {
  t.equal(endpoint('us-east-2', { fips: true }), 'https://sts-fips.us-east-2.amazonaws.com')
  t.equal(endpoint('us-gov-west-1', { fips: true }), 'https://sts.us-gov-west-1.amazonaws.com')
  t.equal(
    endpoint('us-gov-west-1', { fips: true, dualStack: true }),
    'https://sts-fips.us-gov-west-1.api.aws',
  )
  t.equal(endpoint('eu-west-1', { dualStack: true }), 'https://sts.eu-west-1.api.aws')
  t.equal(endpoint('cn-north-1', { dualStack: true }), 'https://sts.cn-north-1.api.amazonwebservices.com.cn')
  t.equal(endpoint('us-isob-east-1', { dualStack: true }), 'https://sts.us-isob-east-1.api.aws.scloud')
})

t.test('the global endpoint is asked only where its sessions are good', async (t) => {
  t.equal(endpoint('eu-west-1', {}, true), 'https://sts.amazonaws.com')
  t.equal(endpoint('ap-east-1', {}, true), 'https://sts.ap-east-1.amazonaws.com')
  t.equal(endpoint('cn-north-1', {}, true), 'https://sts.cn-north-1.amazonaws.com.cn')
  t.equal(endpoint('us-east-1', { fips: true }, true), 'https://sts-fips.us-east-1.amazonaws.com')
  t.equal(endpoint('us-east-1', { dualStack: true }, true), 'https://sts.us-east-1.api.aws')
})

t.test("the operator's endpoint replaces them all", async (t) => {
  const own = { fips: true, dualStack: true, endpoint: 'https://sts.internal/x' }
  for (const global of [true, false]) t.equal(endpoint('eu-west-1', own, global), 'https://sts.internal/x')
})
