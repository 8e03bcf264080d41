import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import t from 'tap'
import { AUDIENCE, CLOUD_PLATFORM, POOL, PRINCIPAL, PROVIDER, startWorld } from './start-world.ts'

const EMAIL = 'app@my-project.iam.gserviceaccount.com'
const MIDDLE = 'middle@my-project.iam.gserviceaccount.com'
const SCOPE = { scope: [CLOUD_PLATFORM] }
const denied = (permission: string) => ({
  status: 403,
  body: {
    error: {
      code: 403,
      message: `Permission '${permission}' denied on resource (or it may not exist).`,
      status: 'PERMISSION_DENIED',
    },
  },
})

t.test('a granted principal gets an access token of the service account', async (t) => {
  await using world = await startWorld()
  world.google.grant(EMAIL, PRINCIPAL)
  const headers = { 'x-goog-user-project': 'billing-project' }
  const scope = ['https://www.googleapis.com/auth/devstorage.read_only', 'openid']
  const { status, body } = await world.impersonate(
    await world.federate(),
    `${EMAIL}:generateAccessToken`,
    { scope, lifetime: '1800s', delegates: [] },
    headers,
  )
  t.equal(status, 200)
  t.match(body.accessToken, /^ya29\.[\w-]{100,}$/)
  t.equal(body.expireTime, new Date(world.clock.now() + 1_800_000).toISOString().replace('.000Z', 'Z'))
  t.same(world.google.inspect(body.accessToken), {
    identity: EMAIL,
    scopes: scope,
    podUid: 'pod-uid',
    quotaProject: 'billing-project',
  })
  await world.clock.advance(1_799_999)
  t.ok(world.google.inspect(body.accessToken))
  await world.clock.advance(1)
  t.equal(world.google.inspect(body.accessToken), undefined)
  t.equal(world.google.calls.get('generateAccessToken'), 1)
})

t.test(
  'a token lives as long as asked, one hour unless said, and never longer than the sandbox lets it',
  async (t) => {
    await using world = await startWorld()
    world.google.grant(EMAIL, PRINCIPAL)
    const bearer = await world.federate()
    await world.clock.advance(400)
    const seconds = async (lifetime?: string) => {
      const { body } = await world.impersonate(bearer, `${EMAIL}:generateAccessToken`, { ...SCOPE, lifetime })
      return (Date.parse(body.expireTime) - world.clock.now() + 400) / 1000
    }
    t.equal(await seconds(), 3600)
    t.equal(await seconds('3600s'), 3600)
    t.equal(await seconds('60.500000000s'), 60)
    world.google.tokenLifetimeSeconds = 30
    t.equal(await seconds('3600s'), 30)
  },
)

t.test('an ID token carries the claims asked for, under a key that the issuer shows', async (t) => {
  await using world = await startWorld()
  world.google.grant(EMAIL, PRINCIPAL)
  const bearer = await world.federate()
  const audience = 'https://svc.example/?a=b&c=d'
  const { status, body } = await world.impersonate(bearer, `${encodeURIComponent(EMAIL)}:generateIdToken`, {
    audience,
    includeEmail: true,
  })
  t.equal(status, 200)

  const { idTokenIssuer } = world.google
  const discovery = await world.send(`${idTokenIssuer}/.well-known/openid-configuration`, { method: 'GET' })
  t.equal(discovery.body.issuer, idTokenIssuer)
  const jwks = await world.send(discovery.body.jwks_uri, { method: 'GET' })
  t.notOk(JSON.stringify(jwks.body).includes('"d"'), 'the private key stays private')
  const { payload, protectedHeader } = await jwtVerify(body.token, createLocalJWKSet(jwks.body), {
    ...{ issuer: idTokenIssuer, audience, algorithms: ['RS256'], currentDate: new Date(world.clock.now()) },
  })
  t.match(protectedHeader, { alg: 'RS256', kid: /^[0-9a-f]{40}$/ })
  const now = Math.floor(world.clock.now() / 1000)
  t.match(payload, { iat: now, exp: now + 3600, email: EMAIL, email_verified: true, sub: /^\d{21}$/ })
  t.equal(payload.azp, payload.sub)

  const plain = await world.impersonate(bearer, `${EMAIL}:generateIdToken`, { audience })
  t.notOk('email' in decodeJwt(plain.body.token), 'no e-mail unless asked')
  t.equal(decodeJwt(plain.body.token).sub, payload.sub, 'the numeric id stays the same')
  t.same([...world.google.calls.keys()].sort(), ['generateIdToken', 'id token keys', 'jwks', 'sts'])
})

t.test('every member form lets in whom it names and nobody else', async (t) => {
  await using world = await startWorld()
  const { google, issuer } = world
  const otherPool = 'projects/123/locations/global/workloadIdentityPools/other'
  const namespaceAudience = 'identitynamespace:p.svc.id.goog:https://gkehub.googleapis.com/x'
  const attributeMapping = { 'attribute.ns': "assertion['kubernetes.io']['namespace']" }
  google.addProvider(PROVIDER, { issuer: issuer.url, attributeMapping })
  google.addProvider(`${otherPool}/providers/prod`, { issuer: issuer.url, attributeMapping })
  google.addIdentityNamespace('p.svc.id.goog', 'https://gkehub.googleapis.com/x', { issuer: issuer.url })

  const bearer = async (aud: string, audience: string, claims = {}) =>
    (await world.exchange(await issuer.token({ aud, ...claims }), { audience })).body.access_token
  const otherAudience = `//iam.googleapis.com/${otherPool}/providers/prod`
  const callers = {
    app: await bearer(AUDIENCE, AUDIENCE),
    admin: await bearer(AUDIENCE, AUDIENCE, { sub: 'system:serviceaccount:ns:admin' }),
    elsewhere: await bearer(AUDIENCE, AUDIENCE, { sub: 'x', 'kubernetes.io': { namespace: 'elsewhere' } }),
    otherPool: await bearer(otherAudience, otherAudience),
    namespace: await bearer('p.svc.id.goog', namespaceAudience),
  }
  const expected: [member: string, letIn: string[]][] = [
    [PRINCIPAL, ['app']],
    [`principalSet://iam.googleapis.com/${POOL}/*`, ['app', 'admin', 'elsewhere']],
    [`principalSet://iam.googleapis.com/${POOL}/attribute.ns/ns`, ['app', 'admin']],
    [`principalSet://iam.googleapis.com/${POOL}/attribute.pod/ns`, []],
    ['serviceAccount:p.svc.id.goog[ns/app]', ['namespace']],
    ['serviceAccount:p.svc.id.goog[ns/admin]', []],
    ['serviceAccount:other.svc.id.goog[ns/app]', []],
    [`serviceAccount:${EMAIL}`, []],
  ]
  for (const [member, letIn] of expected) {
    google.grant(EMAIL, member)
    const answered: string[] = []
    for (const [name, token] of Object.entries(callers)) {
      t.match(token, /^ya29\./)
      const { status } = await world.impersonate(token, `${EMAIL}:generateAccessToken`, SCOPE)
      if (status === 200) answered.push(name)
      else t.equal(status, 403)
    }
    t.same(answered, letIn, member)
    google.revoke(EMAIL, member)
  }
})

t.test('nobody is let in without a grant on this very service account, or after its end', async (t) => {
  await using world = await startWorld()
  const bearer = await world.federate()
  const call = (method: string, body: object) => world.impersonate(bearer, `${EMAIL}:${method}`, body)
  world.google.grant(MIDDLE, PRINCIPAL)
  t.match(await call('generateAccessToken', SCOPE), denied('iam.serviceAccounts.getAccessToken'))
  t.match(await call('generateIdToken', { audience: 'x' }), denied('iam.serviceAccounts.getOpenIdToken'))
  world.google.grant(EMAIL, PRINCIPAL)
  world.google.grant(EMAIL, PRINCIPAL, 'roles/iam.serviceAccountTokenCreator')
  t.equal((await call('generateAccessToken', SCOPE)).status, 200)
  world.google.revoke(EMAIL, PRINCIPAL)
  t.match(await call('generateAccessToken', SCOPE), denied('iam.serviceAccounts.getAccessToken'))
})

t.test('delegates are passed one by one, each with a grant on the next', async (t) => {
  await using world = await startWorld()
  const { google } = world
  const bearer = await world.federate()
  const call = () =>
    world.impersonate(bearer, `${EMAIL}:generateAccessToken`, {
      ...SCOPE,
      delegates: [`projects/-/serviceAccounts/${MIDDLE}`],
    })
  google.grant(MIDDLE, PRINCIPAL, 'roles/iam.workloadIdentityUser')
  t.match(await call(), denied('iam.serviceAccounts.implicitDelegation'))
  google.grant(MIDDLE, PRINCIPAL, 'roles/iam.serviceAccountTokenCreator')
  t.match(await call(), denied('iam.serviceAccounts.getAccessToken'))
  google.grant(EMAIL, `serviceAccount:${MIDDLE}`, 'roles/iam.serviceAccountTokenCreator')
  const { status, body } = await call()
  t.equal(status, 200)
  t.equal(google.inspect(body.accessToken)?.identity, EMAIL)
  t.match(
    await world.impersonate(bearer, `${EMAIL}:generateAccessToken`, SCOPE),
    denied('iam.serviceAccounts.getAccessToken'),
    'the caller alone is not let in',
  )
})

t.test('a bearer that is dead, unknown, absent or of too little scope is refused', async (t) => {
  await using world = await startWorld()
  world.google.grant(EMAIL, PRINCIPAL)
  const bearer = await world.federate()
  const narrow = await world.federate({ scope: 'https://www.googleapis.com/auth/devstorage.read_only' })
  const iamOnly = await world.federate({ scope: 'openid https://www.googleapis.com/auth/iam' })
  const call = (token?: string) => world.impersonate(token, `${EMAIL}:generateAccessToken`, SCOPE)
  const unauthenticated = {
    status: 401,
    headers: { 'www-authenticate': /^Bearer/ },
    body: { error: { code: 401, status: 'UNAUTHENTICATED' } },
  }
  t.equal((await call(iamOnly)).status, 200)
  t.match(await call(narrow), {
    status: 403,
    body: {
      error: { status: 'PERMISSION_DENIED', message: 'Request had insufficient authentication scopes.' },
    },
  })
  t.match(await call(), unauthenticated)
  t.match(await call('ya29.unknown'), unauthenticated)
  t.match(
    await call(await world.issuer.token({ aud: [AUDIENCE] })),
    unauthenticated,
    'a subject token is no access token',
  )
  t.equal((await call(bearer)).status, 200)
  await world.clock.advance(3_600_000)
  t.match(await call(bearer), unauthenticated)
})

t.test('a malformed call is refused', async (t) => {
  await using world = await startWorld()
  world.google.grant(EMAIL, PRINCIPAL)
  const bearer = await world.federate()
  const invalid = { status: 400, body: { error: { code: 400, status: 'INVALID_ARGUMENT' } } }
  const bodies: [method: string, body: unknown][] = [
    ...['', 'null', '[]', '"x"', '{', '{}'].map((text): [string, unknown] => ['generateAccessToken', text]),
    ['generateAccessToken', { scope: [] }],
    ['generateAccessToken', { scope: CLOUD_PLATFORM }],
    ['generateAccessToken', { scope: ['cloud-platform'] }],
    ['generateAccessToken', { scope: [1] }],
    ['generateAccessToken', { ...SCOPE, scopes: [] }],
    ['generateAccessToken', { ...SCOPE, delegates: [MIDDLE] }],
    ['generateAccessToken', { ...SCOPE, delegates: 'projects/-/serviceAccounts/x' }],
    ...['3600', '3601s', '3600.000000001s', '0s', '-1s', '1e3s', ' 60s', '60s\n', '1m', 60, null].map(
      (lifetime): [string, unknown] => ['generateAccessToken', { ...SCOPE, lifetime }],
    ),
    ['generateIdToken', {}],
    ['generateIdToken', { audience: '' }],
    ['generateIdToken', { audience: ['x'] }],
    ['generateIdToken', { audience: 'x', includeEmail: 'true' }],
  ]
  for (const [method, body] of bodies) {
    t.match(
      await world.impersonate(bearer, `${EMAIL}:${method}`, body),
      invalid,
      `${method} ${JSON.stringify(body)}`,
    )
  }
  t.match(
    await world.impersonate(bearer, `${EMAIL}:generateIdToken`, 'audience=x', {
      'content-type': 'application/x-www-form-urlencoded',
    }),
    invalid,
    'a form is not JSON',
  )
  const authorization = `Bearer ${bearer}`
  const paths: [path: string, status: number][] = [
    [`/v1/projects/my-project/serviceAccounts/${EMAIL}:generateAccessToken`, 400],
    ['/v1/projects/-/serviceAccounts/no-email:generateAccessToken', 400],
    ['/v1/projects/-/serviceAccounts/%E0:generateAccessToken', 404],
    [`/v2/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`, 404],
    [`/v1/projects/-/serviceAccounts/${EMAIL}:signBlob`, 404],
  ]
  for (const [path, status] of paths) {
    const headers = { authorization, 'content-type': 'application/json' }
    const answer = await world.send(`${world.google.iamCredentialsUrl}${path}`, {
      headers,
      body: JSON.stringify(SCOPE),
    })
    t.match(answer, { status, body: { error: { code: status } } }, path)
  }
  const get = await world.send(
    `${world.google.iamCredentialsUrl}/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`,
    { method: 'GET', headers: { authorization } },
  )
  t.equal(get.status, 404)
})
