import fc from 'fast-check'
import { decodeJwt } from 'jose'
import t from 'tap'
import { Agent } from 'undici'
import type { GoogleTrust } from '../../src/identity/google-trust.ts'
import { EMAIL, PROVIDER, setUp } from './google-setup.ts'

const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'
const USERINFO = 'https://www.googleapis.com/auth/userinfo.email'
const STORAGE = 'https://www.googleapis.com/auth/devstorage.read_only'

t.test('an annotated pod gets an access token of its service account', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  const spec = it.tokens.accessToken(it.identity(), [])
  t.match(spec, {
    kind: 'google-access-token',
    identity: EMAIL,
    shareBy: 'serviceAccount',
    minimumRemainingMs: 360_000,
  })
  const token = await spec.obtain(it.context)
  t.match(it.google.inspect(token.token.reveal()), {
    identity: EMAIL,
    scopes: [CLOUD_PLATFORM, USERINFO],
    podUid: 'pod-uid',
    quotaProject: undefined,
  })
  t.strictSame(token.scopes, [CLOUD_PLATFORM, USERINFO])
  t.equal(token.expiresAt, it.clock.now() + 3_600_000)
  t.equal(token.digest, token.token.digest)
  t.strictSame(it.asked, [{ audience: `//iam.googleapis.com/${PROVIDER}`, renew: false }])
  t.equal(it.clock.limits, 0)
})

t.test('an annotated pod gets an ID token of its service account', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  const spec = it.tokens.idToken(it.identity(), 'https://my.service/?a=ü')
  t.match(spec, { kind: 'google-id-token', identity: EMAIL })
  const token = await spec.obtain(it.context)
  const claims = decodeJwt(token.token.reveal())
  t.match(claims, { aud: 'https://my.service/?a=ü', email: EMAIL })
  t.equal(token.expiresAt, claims.exp! * 1000)
})

t.test('one federated token serves all access and ID tokens', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  await it.tokens.accessToken(it.identity(), []).obtain(it.context)
  await it.tokens.accessToken(it.identity(), [STORAGE]).obtain(it.context)
  await it.tokens.idToken(it.identity(), 'one').obtain(it.context)
  t.match(
    it.google.calls,
    new Map([
      ['sts', 1],
      ['generateAccessToken', 2],
      ['generateIdToken', 1],
    ]),
  )
})

t.test('a pod with no annotation gets a federated token with the scopes it asks for', async (t) => {
  const it = await setUp(t)
  const identity = it.identity({ serviceAccountEmail: undefined, email: 'my-pool' })
  const spec = it.tokens.accessToken(identity, [STORAGE])
  t.equal(spec.identity, it.member)
  const token = await spec.obtain(it.context)
  t.match(it.google.inspect(token.token.reveal()), { identity: it.member, scopes: [STORAGE] })
  t.strictSame(token.scopes, [STORAGE])
  t.equal(it.google.calls.get('sts'), 1)
})

t.test('a pod with no annotation has no ID tokens', async (t) => {
  const it = await setUp(t)
  t.throws(() => it.tokens.idToken(it.identity({ serviceAccountEmail: undefined }), 'aud'), {
    code: 'IDENTITY_NONE',
  })
})

t.test('an audience is a text of a sane length', async (t) => {
  const it = await setUp(t)
  t.ok(it.tokens.idToken(it.identity(), 'x'.repeat(2_048)))
  for (const audience of ['', 'x'.repeat(2_049), '\ud800']) {
    t.throws(() => it.tokens.idToken(it.identity(), audience), { code: 'REQUEST_INVALID' })
  }
})

t.test('an identity namespace is trusted in its own words', async (t) => {
  const identityProvider = 'https://gkehub.googleapis.com/projects/proj/locations/global/memberships/m'
  const trust: GoogleTrust = { kind: 'namespace', identityNamespace: 'proj.svc.id.goog', identityProvider }
  const it = await setUp(t, { trust })
  it.google.addIdentityNamespace('proj.svc.id.goog', identityProvider, { issuer: it.issuer.url })
  it.google.grant(EMAIL, 'serviceAccount:proj.svc.id.goog[team-a/web]')
  const token = await it.tokens.accessToken(it.identity(), []).obtain(it.context)
  t.match(it.google.inspect(token.token.reveal()), { identity: EMAIL })
  t.strictSame(it.asked, [{ audience: 'proj.svc.id.goog', renew: false }])
})

t.test('the quota project is sent to IAM', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  const token = await it.tokens.accessToken(it.identity({ quotaProject: 'billing' }), []).obtain(it.context)
  t.equal(it.google.inspect(token.token.reveal())?.quotaProject, 'billing')
})

t.test('one credential has one key, however its scopes are spelled', async (t) => {
  const it = await setUp(t)
  const key = (scopes: string[]) => it.tokens.accessToken(it.identity(), scopes).key
  t.equal(key([]), key([USERINFO, CLOUD_PLATFORM, USERINFO]))
  t.strictSame(it.tokens.defaultScopes, [CLOUD_PLATFORM, USERINFO])
  const scope = fc.constantFrom('a', 'b', 'c')
  fc.assert(
    fc.property(
      fc.uniqueArray(scope, { minLength: 1 }),
      fc.array(fc.nat(9), { maxLength: 5 }),
      (scopes, again) => {
        const spelled = [...again.map((index) => scopes[index % scopes.length]!), ...scopes.toReversed()]
        return key(spelled) === key(scopes)
      },
    ),
  )
})

t.test('different credentials have different keys', async (t) => {
  const it = await setUp(t)
  const identities = [
    it.identity(),
    it.identity({ quotaProject: 'billing' }),
    it.identity({ serviceAccountEmail: 'x@proj.iam.gserviceaccount.com' }),
    it.identity({ member: 'principal://other' }),
    it.identity({ serviceAccountEmail: undefined }),
  ]
  const keys = identities.flatMap((identity) => [
    it.tokens.accessToken(identity, []).key,
    it.tokens.accessToken(identity, ['a']).key,
    it.tokens.accessToken(identity, ['a', 'b']).key,
    it.tokens.accessToken(identity, ['a,b']).key,
    ...(identity.serviceAccountEmail === undefined
      ? []
      : ['a', 'a,b', 'a","b'].map((audience) => it.tokens.idToken(identity, audience).key)),
  ])
  t.equal(new Set(keys).size, keys.length)
})

t.test('a missing binding is refused within the one call, in the words that mend it', async (t) => {
  const it = await setUp(t)
  await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), {
    code: 'EXCHANGE_REFUSED',
    retryable: false,
    publicMessage:
      /'iam\.serviceAccounts\.getAccessToken' denied[\s\S]*Grant roles\/iam\.workloadIdentityUser on web@proj.* to principal:.*:team-a:web\.$/,
  })
  await t.rejects(it.tokens.idToken(it.identity(), 'aud').obtain(it.context), {
    code: 'EXCHANGE_REFUSED',
    publicMessage: /'iam\.serviceAccounts\.getOpenIdToken' denied/,
  })
  t.match(
    it.google.calls,
    new Map([
      ['sts', 1],
      ['generateAccessToken', 1],
      ['generateIdToken', 1],
    ]),
  )
})

t.test('a refusal of STS is final within the one call', async (t) => {
  const it = await setUp(t, { trust: { kind: 'pool', provider: PROVIDER.replace('my-cluster', 'other') } })
  await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), {
    code: 'EXCHANGE_MISCONFIGURED',
    providerCode: 'invalid_target',
  })
  t.equal(it.google.calls.get('sts'), 1)
  t.equal(it.asked.length, 1)
})

t.test('a subject token that STS calls stale is taken anew, once', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  it.issuer.stale = true
  await it.tokens.accessToken(it.identity(), []).obtain(it.context)
  t.strictSame(
    it.asked.map(({ renew }) => renew),
    [false, true],
  )
})

t.test('a subject token that stays stale is a retryable failure', async (t) => {
  const it = await setUp(t)
  it.google.intercept = () => ({
    status: 400,
    body: { error: 'invalid_grant', error_description: 'ID Token issued at 1 is stale to sign-in.' },
  })
  await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), {
    code: 'EXCHANGE_SUBJECT_EXPIRED',
    retryable: true,
  })
  t.strictSame(
    it.asked.map(({ renew }) => renew),
    [false, true],
  )
  t.equal(it.google.calls.get('sts'), 2)
})

t.test('a federated token that IAM calls dead is taken anew, once', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  await it.tokens.idToken(it.identity(), 'aud').obtain(it.context)
  it.clock.expire(3_601_000)
  const token = await it.tokens.accessToken(it.identity(), []).obtain(it.context)
  t.match(it.google.inspect(token.token.reveal()), { identity: EMAIL })
  t.match(
    it.google.calls,
    new Map([
      ['sts', 2],
      ['generateAccessToken', 2],
    ]),
  )

  it.google.resetCalls()
  it.google.intercept = (call) => (call === 'generateAccessToken' ? { status: 401, body: {} } : undefined)
  await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), {
    code: 'EXCHANGE_SUBJECT_EXPIRED',
  })
  t.match(
    it.google.calls,
    new Map([
      ['sts', 1],
      ['generateAccessToken', 2],
    ]),
  )
})

t.test('a service that is down for a moment goes unnoticed', async (t) => {
  const it = await setUp(t)
  it.google.grant(EMAIL, it.member)
  const left = new Map([
    ['sts', 2],
    ['generateAccessToken', 1],
  ])
  it.google.intercept = (call) => {
    const count = left.get(call) ?? 0
    left.set(call, count - 1)
    if (count <= 0) return undefined
    return count === 2 ? 'reset' : { status: 503, body: {}, headers: { 'retry-after': '1' } }
  }
  await it.tokens.accessToken(it.identity(), []).obtain(it.context)
  t.strictSame(
    it.clock.waits.filter((wait) => wait > 0),
    [1_000, 1_000],
  )
})

t.test('an answer that is no answer of Google is a coded failure', async (t) => {
  const it = await setUp(t)
  it.google.intercept = () => ({ status: 200, body: { access_token: 'x' } })
  await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), { code: 'EXCHANGE_MALFORMED' })
  t.equal(it.google.calls.get('sts'), 4)
})

t.test('an exchange that nobody waits for any more ends', async (t) => {
  const it = await setUp(t)
  it.google.intercept = () => {
    it.controller.abort()
    return 'hang'
  }
  await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), {
    code: 'EXCHANGE_UNAVAILABLE',
  })
  t.equal(it.clock.limits, 0)
})

t.test('the endpoints are those of the universe unless configured', async (t) => {
  const hosts: string[] = []
  const dispatcher = new Agent().compose(() => (options) => {
    hosts.push(`${options.origin}${options.path}`)
    throw new Error('no network')
  })
  for (const endpoints of [{}, { sts: 'https://gateway.example/sts/' }]) {
    const it = await setUp(t, { universeDomain: 's3nsapis.fr', endpoints, dispatcher })
    await t.rejects(it.tokens.accessToken(it.identity(), []).obtain(it.context), {
      code: 'EXCHANGE_UNAVAILABLE',
    })
  }
  t.strictSame(
    [...new Set(hosts)],
    ['https://sts.s3nsapis.fr/v1/token', 'https://gateway.example/sts/v1/token'],
  )
})
