import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { AwsFactsSource } from '../../src/endpoints/aws/aws-facts-source.ts'
import { createAwsProtocol } from '../../src/endpoints/aws/aws-protocol.ts'
import { AzureFactsSource } from '../../src/endpoints/azure/azure-facts-source.ts'
import { createAzureProtocol } from '../../src/endpoints/azure/azure-protocol.ts'
import { createGoogleProtocol } from '../../src/endpoints/google/google-protocol.ts'
import { InstanceFacts } from '../../src/endpoints/google/instance-facts.ts'
import { testCaller, testPipeline } from '../support/endpoint-fixture.ts'
import { awsPipeline } from './aws/start-aws.ts'
import { azurePipeline } from './azure/start-azure.ts'
import { startProtocols } from './start-protocols.ts'

t.test('one pod is somebody in three clouds, at one address', async (t) => {
  const { ask, identifier } = await startProtocols(t, (parts) => [
    createGoogleProtocol({
      ...parts,
      pipeline: testPipeline(parts.clock),
      facts: new InstanceFacts({ projectId: 'p', nodeName: 'n', universeDomain: 'googleapis.com' }),
    }),
    createAwsProtocol({
      ...parts,
      pipeline: awsPipeline(parts.clock),
      facts: new AwsFactsSource({ region: 'us-east-2' }),
      config: { imdsV1: true },
      tokenKey: createSecretKey(Buffer.alloc(32)),
    }),
    createAzureProtocol({
      ...parts,
      pipeline: azurePipeline(parts.clock),
      facts: new AzureFactsSource({ tenantId: 'tenant', cloud: 'public' }),
    }),
  ])
  identifier.set('127.0.0.1', testCaller('alpha'))
  const google = { 'Metadata-Flavor': 'Google' }

  for (const headers of [google, {}] as Record<string, string>[]) {
    const root = await ask('/', { headers })
    t.equal(root.status, 200)
    t.equal(root.headers['metadata-flavor'], 'Google', 'GET / is Google’s')
  }
  const invalid = { ...google, 'X-aws-ec2-metadata-token': 'INVALID' }
  t.equal((await ask('/', { headers: invalid })).status, 401, 'unless it has a session token of AWS')

  const token = await ask('/computeMetadata/v1/instance/service-accounts/default/token', { headers: google })
  t.match(token.body, 'ya29.alpha@')
  t.match((await ask('/latest/meta-data/iam/security-credentials/alpha-role')).body, 'ASIA-alpha')
  const azure = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r'
  t.match((await ask(azure, { headers: { Metadata: 'true' } })).body, 'eyJ.alpha-app.r.pod-alpha')
  t.equal((await ask('/nowhere', { headers: google })).headers['metadata-flavor'], 'Google')
})
