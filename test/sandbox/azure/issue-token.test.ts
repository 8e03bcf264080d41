import { createLocalJWKSet, decodeJwt, jwtVerify, UnsecuredJWT } from 'jose'
import t from 'tap'
import { createSigningKey, TestIssuer } from '../test-issuer.ts'
import { AUDIENCE, CLIENT, SUBJECT, startWorld, TENANT } from './start-world.ts'

t.test('a matching assertion becomes an access token that the own keys verify', async (t) => {
  await using world = await startWorld()
  const { clock, azure } = world
  const { status, headers, body } = await world.exchange(await world.assertion())
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store, no-cache')
  const { access_token, ...rest } = body
  t.same(rest, { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599 })

  const { body: jwks } = await world.send(`/${TENANT}/discovery/v2.0/keys`)
  const { payload } = await jwtVerify(access_token, createLocalJWKSet(jwks), {
    currentDate: new Date(clock.now()),
    audience: 'https://vault.azure.net',
    issuer: `https://sts.windows.net/${TENANT}/`,
  })
  const now = clock.now() / 1000
  t.match(payload, { tid: TENANT, appid: CLIENT, idtyp: 'app', nbf: now - 300, exp: now + 3599, ver: '1.0' })
  t.equal(payload.oid, payload.sub)
  t.same(azure.inspect(access_token), {
    tenantId: TENANT,
    clientId: CLIENT,
    objectId: payload.oid,
    audience: 'https://vault.azure.net',
    subject: SUBJECT,
    podUid: 'pod-uid',
    expiresAt: clock.now() + 3_599_000,
  })
  t.equal(clock.pending, 0, 'no timer is left behind')
  await clock.advance(3_599_000)
  t.equal(azure.inspect(access_token), undefined)
  t.same(Object.fromEntries(azure.calls), { token: 1, jwks: 1, openid: 1 })
})

t.test('the audience is what stands before the last slash of the scope', async (t) => {
  await using world = await startWorld()
  world.azure.addResource('api://my-app')
  const audience = async (scope: string) =>
    decodeJwt((await world.exchange(await world.assertion(), { scope })).body.access_token).aud
  for (const [scope, aud] of [
    ['https://vault.azure.net/.default', 'https://vault.azure.net'],
    ['https://vault.azure.net//.default', 'https://vault.azure.net/'],
    ['https://management.azure.com//.default', 'https://management.azure.com/'],
    ['797f4846-ba00-4fd7-ba43-dac1f8f63013/.default', '797f4846-ba00-4fd7-ba43-dac1f8f63013'],
    ['api://my-app/.default', 'api://my-app'],
  ] as const)
    t.equal(await audience(scope), aud, scope)
})

t.test(
  'an assertion that does not match or can not be believed is refused with its AADSTS code',
  async (t) => {
    await using world = await startWorld()
    const { issuer, clock } = world
    await using stranger = await TestIssuer.start(world.ca, clock)
    const now = clock.now() / 1000
    const wrongKey = await createSigningKey('first')
    const good = await world.assertion()
    const aud = [AUDIENCE]
    const [header, , signature] = good.split('.')
    const payload = Buffer.from(JSON.stringify({ ...decodeJwt(good), jti: 'changed' })).toString('base64url')

    const refusals: [name: string, assertion: string, code: number, description: RegExp][] = [
      [
        'another issuer',
        await stranger.token({ aud }),
        700211,
        /assertion issuer 'https:\/\/127\.0\.0\.1:\d+'/,
      ],
      ['issuer with a slash', await world.assertion({ iss: `${issuer.url}/` }), 700211, /\/'\. /],
      ['issuer of a hostile shape', await world.assertion({ iss: { toString: 1 } }), 700211, /issuer/],
      ['another subject', await world.assertion({ sub: `${SUBJECT}2` }), 700213, /subject '.*app2'\. Check/],
      [
        'subject in other case',
        await world.assertion({ sub: 'system:serviceaccount:NS:app' }),
        7002138,
        /case-insensitive/,
      ],
      ['no subject', await world.assertion({ sub: undefined }), 700213, /subject 'none'/],
      ['another audience', await issuer.token({ aud: 'x' }), 7002121, /audience 'x'/],
      ['audience in other case', await issuer.token({ aud: AUDIENCE.toLowerCase() }), 7002121, /audience/],
      ['no audience', await issuer.token({}), 7002121, /audience 'none'/],
      [
        'expired',
        await world.assertion({ exp: now }),
        700024,
        /Current time: 2026-01-01T00:00:00\.0000000Z, /,
      ],
      [
        'not yet valid',
        await world.assertion({ nbf: now + 60 }),
        700024,
        /valid from 2026-01-01T00:01:00\.0000000Z,/,
      ],
      [
        'ended before any date',
        await world.assertion({ exp: -1e300 }),
        700024,
        /expiry time of assertion 9999/,
      ],
      ['no end', await world.assertion({ exp: undefined }), 50027, /'exp'/],
      ['wrong key under a known id', await issuer.token({ aud }, wrongKey), 700027, /signature validation/],
      [
        'key id that the issuer does not show',
        await issuer.token({ aud }, { ...wrongKey, kid: 'x' }),
        7000272,
        /could not be found in the metadata/,
      ],
      ['changed claims', [header, payload, signature].join('.'), 700027, /signature validation/],
      ['alg none', new UnsecuredJWT(decodeJwt(good)).encode(), 700027, /signature validation/],
      [
        "stranger's key under the trusted name",
        await stranger.token({ aud, iss: issuer.url }),
        700027,
        /signature/,
      ],
      ['no JWT', 'opaque', 50027, /malformed/],
    ]
    for (const [name, assertion, code, description] of refusals) {
      const status = code === 50027 ? 400 : 401
      const error = code === 50027 ? 'invalid_request' : 'invalid_client'
      const { body, ...answer } = await world.exchange(assertion)
      t.match({ ...answer, body }, { status, body: { error, error_codes: [code] } }, name)
      t.match(body.error_description, new RegExp(`^AADSTS${code}: `), name)
      t.match(body.error_description, description, name)
    }
    t.equal((await world.exchange(good)).status, 200, 'while the good one is good')
  },
)

t.test('a refusal carries its ids and its time, and the correlation id that was sent', async (t) => {
  await using world = await startWorld()
  const sent = '99999999-aaaa-bbbb-cccc-dddddddddddd'
  const headers = { 'client-request-id': sent }
  const { headers: answered, body } = await world.exchange('opaque', {}, { headers })
  t.match(body, {
    error: 'invalid_request',
    error_codes: [50027],
    timestamp: '2026-01-01 00:00:00Z',
    trace_id: /^[0-9a-f-]{36}$/,
    correlation_id: sent,
    error_uri: `${world.azure.authorityUrl}/error?code=50027`,
  })
  t.match(
    body.error_description,
    `Trace ID: ${body.trace_id} Correlation ID: ${sent} Timestamp: 2026-01-01 00:00:00Z`,
  )
  t.equal(answered['x-ms-request-id'], body.trace_id)
  const other = await world.exchange('opaque', {}, { headers: { 'client-request-id': 'x' } })
  t.match(other.body.correlation_id, /^[0-9a-f-]{36}$/)
})

t.test('an issuer that can not be asked is a failed request to an external endpoint', async (t) => {
  await using world = await startWorld()
  for (const answer of [{ status: 503, body: '' }, { status: 404, body: '' }, { body: '{}' }]) {
    world.issuer.replaced.set('/openid/v1/jwks', answer)
    t.match(await world.exchange(await world.assertion()), { status: 400, body: { error_codes: [50166] } })
  }
  world.issuer.replaced.clear()
  t.equal((await world.exchange(await world.assertion())).status, 200)
})

t.test('one application has as many credentials as it needs, each matched as a whole', async (t) => {
  await using world = await startWorld()
  const { azure, credential, issuer } = world
  const federatedCredentials = [
    credential,
    { ...credential, subject: `${SUBJECT}2`, audience: 'api://other' },
  ]
  azure.addApplication({ tenantId: TENANT, clientId: CLIENT, federatedCredentials })
  const code = async (sub: string, aud: string) =>
    (await world.exchange(await issuer.token({ sub, aud }))).body.error_codes?.[0]
  t.equal(await code(SUBJECT, AUDIENCE), undefined)
  t.equal(await code(`${SUBJECT}2`, 'api://other'), undefined)
  t.equal(await code(SUBJECT, 'api://other'), 7002121)
  t.equal(await code(`${SUBJECT}2`, AUDIENCE), 7002121)
})

t.test('an application without credentials, or whose credentials propagate, finds no match', async (t) => {
  await using world = await startWorld()
  const { azure, credential } = world
  const application = { tenantId: TENANT, clientId: CLIENT.toUpperCase() }
  azure.addApplication({ ...application, federatedCredentials: [] })
  t.match(await world.exchange(await world.assertion()), { status: 401, body: { error_codes: [70025] } })
  azure.addApplication({ ...application, federatedCredentials: [credential], propagatingCalls: 2 })
  for (let n = 0; n < 2; n++) {
    t.match(await world.exchange(await world.assertion()), {
      status: 401,
      body: {
        error: 'invalid_client',
        error_codes: [70021],
        error_description:
          /Assertion Subject: 'system:serviceaccount:ns:app'\. Assertion Audience: 'api:\/\/AzureADTokenExchange'\. /,
      },
    })
  }
  t.equal((await world.exchange(await world.assertion())).status, 200)
  azure.removeApplication(TENANT, CLIENT)
  t.match(await world.exchange(await world.assertion()), {
    status: 400,
    body: { error: 'unauthorized_client', error_codes: [700016] },
  })
})

t.test('applications of one client ID in two tenants are two', async (t) => {
  await using world = await startWorld()
  const tenant = TENANT.replaceAll('1', '2')
  const credential = { ...world.credential, subject: `${SUBJECT}2` }
  world.azure.addApplication({ tenantId: tenant, clientId: CLIENT, federatedCredentials: [credential] })
  t.match(await world.exchange(await world.assertion(), {}, { tenant }), { body: { error_codes: [700213] } })
  const assertion = await world.assertion({ sub: `${SUBJECT}2` })
  const { body } = await world.exchange(assertion, {}, { tenant })
  t.equal(world.azure.inspect(body.access_token)?.tenantId, tenant)
  const { body: first } = await world.exchange(await world.assertion())
  t.not(world.azure.inspect(first.access_token)?.objectId, world.azure.inspect(body.access_token)?.objectId)
})

t.test('setting up what Entra would not take throws', async (t) => {
  await using world = await startWorld()
  const { azure, credential } = world
  const application = { tenantId: TENANT, clientId: CLIENT, federatedCredentials: [credential] }
  t.throws(() => azure.addApplication({ ...application, tenantId: 'contoso' }), TypeError)
  t.throws(() => azure.addApplication({ ...application, clientId: 'x' }), TypeError)
  const plain = { ...credential, issuer: 'http://x' }
  t.throws(() => azure.addApplication({ ...application, federatedCredentials: [plain] }), TypeError)
  const many = Array.from({ length: 21 }, () => credential)
  t.throws(() => azure.addApplication({ ...application, federatedCredentials: many }), TypeError)
})
