import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { AwsFactsSource } from '../../src/endpoints/aws/aws-facts-source.ts'
import { createAwsProtocol } from '../../src/endpoints/aws/aws-protocol.ts'
import { AzureFactsSource } from '../../src/endpoints/azure/azure-facts-source.ts'
import { createAzureProtocol } from '../../src/endpoints/azure/azure-protocol.ts'
import { testCaller } from '../support/endpoint-fixture.ts'
import { awsPipeline } from './aws/start-aws.ts'
import { azurePipeline } from './azure/start-azure.ts'
import { startProtocols } from './start-protocols.ts'

const AWS = [
  'latest',
  '1.0',
  '2021-01-03',
  'meta-data',
  'iam',
  'security-credentials',
  'alpha-role',
  'api',
  'token',
  'dynamic',
]
const AZURE = [
  'metadata',
  'Metadata',
  'identity',
  'oauth2',
  'token',
  'instance',
  'compute',
  'versions',
  'info',
  '0',
]
const ODD = ['', '.', '..', '%2e%2e', '%2F', '%', '%00', 'a b', '__proto__', 'é', '\\', ';', '?', '#']

const escaped = fc.constantFrom(...ODD, ...AWS, ...AZURE).map((text) => text.replace(/[^\x21-\x7e]/g, '_'))
const path = fc
  .oneof(
    fc.array(escaped, { maxLength: 7 }),
    fc.constant(['latest', 'meta-data', 'iam', 'security-credentials', 'alpha-role']),
    fc.constant(['metadata', 'identity', 'oauth2', 'token']),
  )
  .map((segments) => `/${segments.join('/')}`)
const name = fc.constantFrom(
  'api-version',
  'resource',
  'client_id',
  'object_id',
  'format',
  'x',
  'API-VERSION',
)
const value = fc.constantFrom(
  '2018-02-01',
  '2021-02-01',
  'https://a/',
  'other-app',
  'text',
  '',
  '%',
  '%00',
  '&',
  '=',
)
const query = fc.oneof(
  fc.constant('api-version=2018-02-01&resource=https://a/'),
  fc.array(fc.tuple(name, value), { maxLength: 4 }).map((pairs) => pairs.map((it) => it.join('=')).join('&')),
)
const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'POST', 'OPTIONS')
const odd = fc.record(
  {
    'x-aws-ec2-metadata-token': fc.constantFrom('', 'INVALID', 'A'.repeat(76), 'A'.repeat(4000)),
    'x-aws-ec2-metadata-token-ttl-seconds': fc.constantFrom('60', '0', '21601', 'x'),
    Metadata: fc.constantFrom('true', 'True', 'false', ''),
    'X-Forwarded-For': fc.constant('10.0.0.1'),
    Authorization: fc.constant('Bearer x'),
  },
  { requiredKeys: [] },
)
const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(odd, fc.constant({ Metadata: 'true' }))
t.test(
  'whatever is asked, credentials are given for the right question alone, and nothing fails',
  async (t) => {
    const { ask, identifier } = await startProtocols(t, (parts) => [
      createAwsProtocol({
        ...parts,
        pipeline: awsPipeline(parts.clock),
        facts: new AwsFactsSource({ region: 'us-east-2' }),
        config: { imdsV1: false },
        tokenKey: createSecretKey(Buffer.alloc(32)),
      }),
      createAzureProtocol({
        ...parts,
        pipeline: azurePipeline(parts.clock),
        facts: new AzureFactsSource({ tenantId: 'tenant', cloud: 'public' }),
      }),
    ])
    identifier.set('127.0.0.1', testCaller('alpha'))
    const statuses = new Set<number>()
    const property = fc.asyncProperty(method, path, query, headers, async (method, path, query, headers) => {
      const {
        status,
        body,
        headers: received,
      } = await ask(query === '' ? path : `${path}?${query}`, { method, headers })
      statuses.add(status)
      const isAzure =
        method === 'GET' && headers.Metadata?.toLowerCase() === 'true' && !headers['X-Forwarded-For']
      const isAzureToken = /^\/+metadata\/+identity\/+oauth2\/+token\/*$/i.test(path.replace(/[?#].*$/, ''))
      return (
        status < 500 &&
        !/session-|secret-/.test(body) &&
        (!body.includes('eyJ') || (isAzure && isAzureToken && body.includes('pod-alpha'))) &&
        (!isAzureToken || ![404, 410, 429].includes(status)) &&
        (status === 401 || received['content-type'] !== undefined)
      )
    })
    await fc.assert(property, { numRuns: 600 })
    for (const status of [200, 400, 401]) t.ok(statuses.has(status), `some are ${status}`)
  },
)
