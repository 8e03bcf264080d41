import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { createAwsSts } from '../../src/exchange/aws-sts.ts'
import { createEntra } from '../../src/exchange/azure-entra.ts'
import type { ObtainContext } from '../../src/exchange/credential-spec.ts'
import type { AwsIdentity } from '../../src/identity/aws-identity.ts'
import type { AzureIdentity } from '../../src/identity/azure-identity.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { ACCOUNT, ROLE, startWorld as startAws } from '../sandbox/aws/start-world.ts'
import { CLIENT, startWorld as startAzure, TENANT } from '../sandbox/azure/start-world.ts'

interface World extends AsyncDisposable {
  readonly ca: { readonly pem: string }
  readonly clock: { now(): number }
  readonly issuer: { token(claims: Record<string, unknown>): Promise<string> }
}

/** What an exchange is made with in front of the sandbox, and a pod of `ns/app`. */
function setUp(t: Test, world: World) {
  const dispatcher = new Agent({ connect: { ca: world.ca.pem } })
  t.teardown(async () => {
    await dispatcher.destroy()
    await world[Symbol.asyncDispose]()
  })
  const clock = { now: () => world.clock.now(), after: systemClock.after }
  const parts = { dispatcher, clock, log: silentLog, metrics: createMetrics(), random: () => 0 }
  /** A subject token's age, in seconds, unless a new one is asked for. */
  const token = { age: 0 }
  const context = (serviceAccountName = 'app'): ObtainContext => ({
    holder: {
      namespace: 'ns',
      name: 'app-0',
      uid: 'pod-uid',
      serviceAccountName,
      serviceAccountUid: 'sa-uid',
    },
    signal: new AbortController().signal,
    async subjectToken(audience, wish = {}) {
      const iat = Math.floor(clock.now() / 1000) - (wish.renew ? 0 : token.age)
      const sub = `system:serviceaccount:ns:${serviceAccountName}`
      return new Secret(await world.issuer.token({ aud: [audience], sub, iat, nbf: iat, exp: iat + 600 }))
    },
    credential: () => Promise.reject(new Error('not needed here')),
  })
  return { parts, context, token }
}

async function aws(t: Test, sessionSeconds = 3_600) {
  const world = await startAws()
  const { parts, ...pod } = setUp(t, world)
  const options = { region: 'eu-west-1', fips: false, dualStack: false, endpoint: world.aws.stsUrl }
  const sts = createAwsSts({ ...parts, ...options, sessionSeconds })
  const identity = (change: Partial<AwsIdentity> = {}): AwsIdentity => ({
    cloud: 'aws',
    roleArn: ROLE,
    roleName: 'app',
    accountId: ACCOUNT,
    partition: 'aws',
    audience: 'sts.amazonaws.com',
    tokenExpirationSeconds: undefined,
    globalEndpoint: false,
    ...change,
  })
  return {
    ...pod,
    world,
    obtain: (change = {}, account = 'app') => sts.roleSession(identity(change)).obtain(pod.context(account)),
  }
}

async function azure(t: Test) {
  const world = await startAzure()
  const { parts, ...pod } = setUp(t, world)
  const entra = createEntra({ ...parts, cloud: 'public', authority: world.azure.authorityUrl })
  const identity: AzureIdentity = {
    cloud: 'azure',
    holder: { namespace: 'ns', serviceAccount: 'app' },
    clientId: CLIENT,
    tenantId: TENANT,
    tokenExpirationSeconds: undefined,
  }
  return {
    ...pod,
    world,
    obtain: (resource = 'https://vault.azure.net', account = 'app') =>
      entra.accessToken(identity, CLIENT, resource).obtain(pod.context(account)),
  }
}

t.test("a pod that the role trusts gets the role's session, under the pod's name", async (t) => {
  const it = await aws(t)
  const session = await it.obtain()
  t.match(it.world.aws.inspect(session.accessKeyId), {
    roleArn: ROLE,
    sessionName: 'ns.app-0',
    podUid: 'pod-uid',
    secretAccessKey: session.secretAccessKey.reveal(),
    sessionToken: session.sessionToken.reveal(),
  })
  t.equal(session.expiresAt, it.world.clock.now() + 3_600_000)
})

t.test('a ServiceAccount that the role does not trust gets nothing', async (t) => {
  const it = await aws(t)
  await t.rejects(it.obtain({}, 'other'), { code: 'EXCHANGE_REFUSED', providerCode: 'AccessDenied' })
  await t.rejects(it.obtain({ audience: 'other' }), {
    code: 'EXCHANGE_MISCONFIGURED',
    providerCode: 'InvalidIdentityToken',
  })
  await t.rejects(it.obtain({ roleArn: `${ROLE}2` }), { code: 'EXCHANGE_REFUSED' })
})

t.test('STS sees one new token for one that is over', async (t) => {
  const it = await aws(t)
  it.token.age = 7_200
  t.equal((await it.obtain()).accountId, ACCOUNT)
})

t.test('a session that is longer than the role allows says what to raise', async (t) => {
  const it = await aws(t, 3_601)
  await t.rejects(it.obtain(), { code: 'EXCHANGE_MISCONFIGURED', publicMessage: /MaxSessionDuration/ })
})

t.test('a pod with a federated credential gets a token of the application', async (t) => {
  const it = await azure(t)
  const token = await it.obtain()
  t.match(it.world.azure.inspect(token.token.reveal()), {
    clientId: CLIENT,
    tenantId: TENANT,
    audience: 'https://vault.azure.net',
    podUid: 'pod-uid',
  })
  t.equal(token.expiresAt, it.world.clock.now() + 3_599_000)
  t.ok(token.notBefore <= it.world.clock.now())
  const slashed = await it.obtain('https://vault.azure.net/')
  t.equal(it.world.azure.inspect(slashed.token.reveal())?.audience, 'https://vault.azure.net/')
})

t.test('Entra sees one new assertion for one that is over', async (t) => {
  const it = await azure(t)
  it.token.age = 7_200
  t.ok(await it.obtain())
})

t.test('a resource that Entra does not know is the fault of the request', async (t) => {
  const it = await azure(t)
  await t.rejects(it.obtain('https://nowhere.example'), { code: 'REQUEST_INVALID', retryable: false })
})
