import assert from 'node:assert/strict'
import { SANDBOX_TENANT } from '../../../src/sandbox/names.ts'
import { grantSandboxApplication, grantSandboxRole } from '../../../src/sandbox/sandbox-config.ts'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { askPatiently, EMAIL, identityOf } from '../../support/pod-questions.ts'
import type { Scenario } from '../scenario.ts'

const IP = '127.0.10.1'
const CLIENT_ID = '1a9707a0-1111-4c11-8000-000000000007'

/** One pod, an identity in each cloud: a real cluster's signatures are what the clouds verify. */
export const threeClouds: Scenario = {
  name: 'three-clouds',
  async run(world) {
    const { plane, clouds, namespace } = world
    const email = await world.googleServiceAccount('all')
    const trusting = { ...clouds, kubernetes: { issuer: plane.url } }
    const arn = grantSandboxRole(trusting, 'all', namespace, 'all')
    grantSandboxApplication(trusting, CLIENT_ID, namespace, 'all')
    await world.applyServiceAccount('all', {
      'iam.gke.io/gcp-service-account': email,
      'eks.amazonaws.com/role-arn': arn,
      'azure.workload.identity/client-id': CLIENT_ID,
    })
    await world.createPod({ name: 'all', serviceAccount: 'all', ip: IP })
    const daemon = await world.startDaemon()
    await plane.audit.read()

    assert.equal((await askPatiently(daemon, IP, EMAIL)).body, email)
    const identities = [(await identityOf(daemon, IP)) === email]
    const role = await patiently(daemon.host, '/latest/meta-data/iam/security-credentials/')
    const keys = JSON.parse(
      (await patiently(daemon.host, `/latest/meta-data/iam/security-credentials/${role.body}`)).body,
    )
    identities.push(clouds.aws.inspect(keys.AccessKeyId)?.roleArn === arn)
    const azure = await patiently(
      daemon.host,
      `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net`,
      {
        Metadata: 'true',
      },
    )
    const token = clouds.azure.inspect(JSON.parse(azure.body).access_token)
    identities.push(token?.clientId === CLIENT_ID && token.tenantId === SANDBOX_TENANT)
    return {
      operations: identities.length,
      failures: identities.filter((right) => !right).length,
      wrongIdentities: 0,
      apiCalls: (await plane.audit.read()).length,
      note: "a pod's Google service account, AWS role and Azure application, each by a token that the real API server signed",
    }
  },
}

function patiently(host: string, path: string, headers: Record<string, string> = {}) {
  return eventually(
    () => ask(host, path, { ip: IP, headers: { 'Metadata-Flavor': '', ...headers } }),
    ({ status }) => status !== 503,
  )
}
