import t, { type Test } from 'tap'
import { createEntra, type EntraOptions } from '../../src/exchange/azure-entra.ts'
import type { AzureIdentity } from '../../src/identity/azure-identity.ts'
import { type CloudReply, type CloudRequestSeen, startCloud, subjectJwt } from './cloud-server.ts'

const identity: AzureIdentity = {
  cloud: 'azure',
  holder: { namespace: 'team-a', serviceAccount: 'web' },
  clientId: 'client',
  tenantId: 'tenant',
  tokenExpirationSeconds: undefined,
}
const RESOURCE = 'https://management.azure.com/'

async function setUp(
  t: Test,
  reply: (seen: CloudRequestSeen, index: number) => CloudReply,
  change: Partial<EntraOptions> = {},
) {
  const it = await startCloud(t, reply)
  const entra = createEntra({ ...it.parts, cloud: 'public', authority: it.url, ...change })
  return {
    ...it,
    entra,
    obtain: (holder = {}, clientId = 'client') =>
      entra.accessToken(identity, clientId, RESOURCE).obtain(it.context(holder)),
  }
}

const granted = ({ form }: CloudRequestSeen): CloudReply => ({
  body: { token_type: 'Bearer', expires_in: 3599, access_token: `token-of-${form.client_id}` },
})
const refused = (status: number, aadsts: number): CloudReply => ({
  status,
  body: { error: 'invalid_client', error_description: `AADSTS${aadsts}: Words.`, error_codes: [aadsts] },
})

t.test('a token is had in one round trip, with the assertion as the only secret', async (t) => {
  const it = await setUp(t, granted)
  const token = await it.obtain()
  t.equal(token.token.reveal(), 'token-of-client')
  t.equal(token.expiresAt, it.clock.now() + 3_599_000)
  t.equal(it.seen.length, 1)
  t.match(it.seen[0], { method: 'POST', url: '/tenant/oauth2/v2.0/token' })
  t.strictSame(it.seen[0]?.form, {
    grant_type: 'client_credentials',
    client_id: 'client',
    scope: 'https://management.azure.com//.default',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: subjectJwt(),
  })
  t.match(it.asked, [{ audience: 'api://AzureADTokenExchange', renew: undefined }])
  t.equal(it.clock.limits, 0)
})

t.test('each cloud has its audience, unless the operator has another', async (t) => {
  for (const [change, audience] of [
    [{ cloud: 'usgov' }, 'api://AzureADTokenExchangeUSGov'],
    [{ cloud: 'china' }, 'api://AzureADTokenExchangeChina'],
    [{ cloud: 'china', audience: 'own' }, 'own'],
  ] as const) {
    const it = await setUp(t, granted, change)
    await it.obtain()
    t.match(it.asked, [{ audience }])
  }
})

t.test(
  'all pods of a ServiceAccount share a token; whatever makes another token makes another key',
  async (t) => {
    const { entra } = await setUp(t, granted)
    const spec = entra.accessToken(identity, 'client', RESOURCE)
    t.match(spec, {
      kind: 'azure-access-token',
      identity: 'client',
      shareBy: 'serviceAccount',
      minimumRemainingMs: 360_000,
    })
    const keys = [
      spec.key,
      entra.accessToken(identity, 'other', RESOURCE).key,
      entra.accessToken({ ...identity, tenantId: 'other' }, 'client', RESOURCE).key,
      entra.accessToken({ ...identity, tokenExpirationSeconds: 3600 }, 'client', RESOURCE).key,
      entra.accessToken(identity, 'client', 'https://management.azure.com').key,
    ]
    t.equal(new Set(keys).size, keys.length)
    t.equal(entra.accessToken(identity, 'client', `${RESOURCE}/.default`).key, spec.key)
    t.throws(() => entra.accessToken(identity, 'client', 'a b'), { code: 'REQUEST_INVALID' })
  },
)

t.test('an assertion called expired is replaced, once', async (t) => {
  const it = await setUp(t, (seen, index) => (index === 0 ? refused(401, 700024) : granted(seen)))
  await it.entra
    .accessToken({ ...identity, tokenExpirationSeconds: 3600 }, 'client', RESOURCE)
    .obtain(it.context())
  t.match(it.asked, [
    { renew: undefined, expirationSeconds: 3600 },
    { renew: true, expirationSeconds: 3600 },
  ])
  const dead = await setUp(t, () => refused(401, 700024))
  await t.rejects(dead.obtain(), { code: 'EXCHANGE_SUBJECT_EXPIRED' })
  t.equal(dead.seen.length, 2)
})

t.test(
  'whoever waits for a federated credential that was just made, or never, is told at once',
  async (t) => {
    const it = await setUp(t, (seen, index) => (index < 2 ? refused(401, 700213) : granted(seen)))
    for (let calls = 1; calls <= 2; calls++) {
      await t.rejects(it.obtain(), {
        code: 'EXCHANGE_UNAVAILABLE',
        retryable: true,
        retryAfterMs: 5_000,
        publicMessage: /no federated credential of it with issuer/,
      })
      t.equal(it.seen.length, calls)
    }
    t.equal((await it.obtain()).token.reveal(), 'token-of-client')
    t.strictSame(it.clock.waits, [])
  },
)

t.test('one that is missing for minutes is missing for good, until it is found', async (t) => {
  let found = false
  const it = await setUp(t, (seen) => (found ? granted(seen) : refused(401, 700213)))
  // The fault is what makes it an Event.
  await t.rejects(it.obtain(), { code: 'EXCHANGE_UNAVAILABLE', retryable: true, fault: 'policy' })
  it.clock.expire(300_000)
  const asked = it.seen.length
  await t.rejects(it.obtain(), { code: 'EXCHANGE_MISCONFIGURED', retryable: false })
  t.equal(it.seen.length, asked + 1, 'without a second attempt')
  await t.rejects(it.obtain({ serviceAccountUid: 'another' }), {
    code: 'EXCHANGE_UNAVAILABLE',
    retryable: true,
  })
  await t.rejects(it.obtain({}, 'another-client'), { code: 'EXCHANGE_UNAVAILABLE', retryable: true })
  found = true
  await it.obtain()
  found = false
  await t.rejects(it.obtain(), { code: 'EXCHANGE_UNAVAILABLE', retryable: true })
})

t.test('a permanent refusal is final at once, and says which federated credential to add', async (t) => {
  const it = await setUp(t, () => refused(401, 7002138))
  await t.rejects(it.obtain(), {
    code: 'EXCHANGE_MISCONFIGURED',
    retryable: false,
    publicMessage:
      /application client in tenant tenant .* issuer https:\/\/issuer\.example\/cluster, subject system:serviceaccount:team-a:web and audience api:\/\/AzureADTokenExchange, letter by letter/,
  })
  t.equal(it.seen.length, 1)
})
