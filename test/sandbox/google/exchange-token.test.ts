import t from 'tap'
import {
  AUDIENCE,
  CLOUD_PLATFORM,
  POOL,
  PRINCIPAL,
  PROVIDER,
  startWorld,
  TOKEN_REQUEST,
} from './start-world.ts'

const INVALID_AUDIENCE = `//iam.googleapis.com/${POOL}/providers/other`

t.test('a good service-account token becomes an opaque access token', async (t) => {
  await using world = await startWorld()
  const { status, body, headers } = await world.exchange(await world.issuer.token({ aud: [AUDIENCE] }))
  t.equal(status, 200)
  t.match(headers['content-type'], /^application\/json/)
  t.match(body.access_token, /^ya29\.[\w-]{100,}$/)
  t.match(body, {
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3600,
  })
  t.same(world.google.inspect(body.access_token), {
    identity: PRINCIPAL,
    scopes: [CLOUD_PLATFORM],
    podUid: 'pod-uid',
    quotaProject: undefined,
  })
  t.equal(world.clock.pending, 0, 'no timer is left behind')
})

t.test('an access token ends when its answer said so', async (t) => {
  await using world = await startWorld()
  world.google.tokenLifetimeSeconds = 60
  const { body } = await world.exchange(await world.issuer.token({ aud: AUDIENCE }))
  t.equal(body.expires_in, 60)
  await world.clock.advance(59_999)
  t.ok(world.google.inspect(body.access_token))
  await world.clock.advance(1)
  t.equal(world.google.inspect(body.access_token), undefined)
  t.equal(world.google.inspect('ya29.never'), undefined)
})

t.test('a JSON body is read with camelCase or with the original names', async (t) => {
  await using world = await startWorld()
  const subjectToken = await world.issuer.token({ aud: [AUDIENCE] })
  const snake = { ...TOKEN_REQUEST, subject_token: subjectToken }
  const camel = Object.fromEntries(
    Object.entries(snake).map(([name, value]) => [name.replace(/_(.)/g, (_, c) => c.toUpperCase()), value]),
  )
  for (const body of [snake, camel]) {
    const answer = await world.send(`${world.google.stsUrl}/v1/token`, {
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
    })
    t.equal(answer.status, 200)
  }
})

t.test('the default audience is taken with and without its scheme, and a list replaces it', async (t) => {
  await using world = await startWorld()
  const exchangeFor = async (aud: unknown) => (await world.exchange(await world.issuer.token({ aud }))).status
  t.equal(await exchangeFor(AUDIENCE), 200)
  t.equal(await exchangeFor([`https:${AUDIENCE}`]), 200)
  t.equal(await exchangeFor('custom'), 400)
  world.google.addProvider(PROVIDER, { issuer: world.issuer.url, allowedAudiences: ['custom'] })
  t.equal(await exchangeFor(['custom', 'x']), 200)
  t.equal(await exchangeFor(AUDIENCE), 400)
})

t.test('an identity namespace turns a Kubernetes subject into its own member', async (t) => {
  await using world = await startWorld()
  const providerUri = 'https://container.googleapis.com/v1/projects/p/locations/l/clusters/c'
  world.google.addIdentityNamespace('p.svc.id.goog', providerUri, { issuer: world.issuer.url })
  const audience = `identitynamespace:p.svc.id.goog:${providerUri}`
  const good = await world.exchange(await world.issuer.token({ aud: ['p.svc.id.goog'] }), { audience })
  t.equal(good.status, 200)
  t.equal(world.google.inspect(good.body.access_token)?.identity, 'serviceAccount:p.svc.id.goog[ns/app]')

  for (const sub of [
    'ns/app',
    ['system:serviceaccount:ns:app'],
    'system:serviceaccount:ns:app:x',
    'system:serviceaccount:ns:',
  ]) {
    const refused = await world.exchange(await world.issuer.token({ aud: ['p.svc.id.goog'], sub }), {
      audience,
    })
    t.match(refused, { status: 400, body: { error: 'invalid_grant' } }, JSON.stringify(sub))
  }
  const pool = await world.exchange(await world.issuer.token({ aud: [AUDIENCE] }), { audience })
  t.match(
    pool,
    { status: 400, body: { error: 'invalid_grant' } },
    "the pool's audience is not the namespace's",
  )
  const other = await world.exchange(await world.issuer.token({ aud: ['p.svc.id.goog'] }), {
    audience: `${audience}2`,
  })
  t.match(
    other,
    { status: 400, body: { error: 'invalid_target' } },
    'another provider of the namespace is not known',
  )
})

t.test('the subject is what the mapping makes of the assertion', async (t) => {
  await using world = await startWorld()
  world.google.addProvider(PROVIDER, {
    issuer: world.issuer.url,
    attributeMapping: {
      'google.subject': "'k8s/' + assertion['kubernetes.io']['namespace']",
      'attribute.pod': 'assertion["kubernetes.io"].pod.name',
    },
  })
  const token = await world.federate()
  t.equal(world.google.inspect(token)?.identity, `principal://iam.googleapis.com/${POOL}/subject/k8s/ns`)

  const unmapped = await world.issuer.token({ aud: [AUDIENCE], 'kubernetes.io': { namespace: 'ns' } })
  t.match(await world.exchange(unmapped), {
    status: 400,
    body: { error: 'invalid_grant', error_description: /attribute\.pod has no value/ },
  })
})

t.test('a subject longer than 127 bytes, empty or no text is refused', async (t) => {
  await using world = await startWorld()
  const exchange = async (sub: unknown) => world.exchange(await world.issuer.token({ aud: [AUDIENCE], sub }))
  t.match(await exchange('a'.repeat(127)), { status: 200 })
  t.match(await exchange('a'.repeat(128)), {
    status: 400,
    body: { error: 'invalid_grant', error_description: /google\.subject exceeds the 127 bytes limit/ },
  })
  for (const sub of ['', undefined, 7, { a: 1 }, ['a', 'b']]) {
    t.match(await exchange(sub), { status: 400, body: { error: 'invalid_grant' } }, JSON.stringify(sub))
  }
})

t.test('a request that STS would not take is refused with its OAuth error', async (t) => {
  await using world = await startWorld()
  const token = await world.issuer.token({ aud: [AUDIENCE] })
  const cases: [fields: Record<string, string | undefined>, error: string][] = [
    [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' }, 'invalid_request'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request'],
    [{ scope: 'https://www.googleapis.com/auth/cloud-platform,openid' }, 'invalid_scope'],
    [{ scope: 'https://management.azure.com/.default' }, 'invalid_scope'],
    [{ scope: '' }, 'invalid_request'],
    [{ audience: INVALID_AUDIENCE }, 'invalid_target'],
    [{ audience: `https:${AUDIENCE}` }, 'invalid_target'],
    [{ audience: '__proto__' }, 'invalid_target'],
    [{ unknown: 'x' }, 'invalid_request'],
    ...[...Object.keys(TOKEN_REQUEST), 'subject_token'].map((name): [Record<string, undefined>, string] => [
      { [name]: undefined },
      'invalid_request',
    ]),
  ]
  for (const [fields, error] of cases) {
    const answer = await world.exchange(token, fields)
    t.match(answer, { status: 400, body: { error, error_description: String } }, JSON.stringify(fields))
  }
  t.match(await world.exchange(token, {}, { authorization: 'Bearer x' }), {
    status: 400,
    body: { error: 'invalid_request', error_description: /Authorization/ },
  })
  t.equal(
    (await world.exchange(token, { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' })).status,
    200,
  )
  t.same(world.issuer.requests.length, 2, 'nothing but the good request reached the issuer')
})

t.test('a body of another form is refused', async (t) => {
  await using world = await startWorld()
  const form = new URLSearchParams({
    ...TOKEN_REQUEST,
    subject_token: await world.issuer.token({ aud: AUDIENCE }),
  })
  const bodies: [contentType: string, body: string][] = [
    ['text/plain', form.toString()],
    ['application/json', form.toString()],
    ['application/json', 'null'],
    ['application/json', '[]'],
    ['application/json', '"text"'],
    ['application/json', '{"grantType":1}'],
    ['application/json', JSON.stringify({ ...Object.fromEntries(form), subjectToken: 'second' })],
    ['application/x-www-form-urlencoded', `${form}&audience=second`],
    ['application/x-www-form-urlencoded', `${form}&grantType=camel`],
    ['application/x-www-form-urlencoded', ''],
  ]
  for (const [contentType, body] of bodies) {
    const answer = await world.send(`${world.google.stsUrl}/v1/token`, {
      headers: { 'content-type': contentType },
      body,
    })
    t.match(
      answer,
      { status: 400, body: { error: 'invalid_request' } },
      `${contentType} ${body.slice(0, 40)}`,
    )
  }
  for (const [method, path] of [
    ['GET', '/v1/token'],
    ['POST', '/v1/introspect'],
  ] as const) {
    t.equal((await world.send(`${world.google.stsUrl}${path}`, { method })).status, 404)
  }
})

t.test('an injected answer is given instead, and the token is not spent', async (t) => {
  await using world = await startWorld()
  const body = { error: 'server_error' }
  world.google.intercept = (call) =>
    call === 'sts' ? { status: 503, headers: { 'retry-after': '1' }, body } : undefined
  const token = await world.issuer.token({ aud: [AUDIENCE] })
  t.match(await world.exchange(token), { status: 503, headers: { 'retry-after': '1' }, body })
  t.same(world.issuer.requests, [])
  world.google.intercept = undefined
  t.equal((await world.exchange(token)).status, 200)
  world.google.resetCalls()
  t.equal(world.google.calls.size, 0)
})
