import { decodeJwt, UnsecuredJWT } from 'jose'
import t from 'tap'
import { createSigningKey, TestIssuer } from '../test-issuer.ts'
import { AUDIENCE, PRINCIPAL, PROVIDER, startWorld } from './start-world.ts'

t.test('an assertion that does not prove a living pod is refused', async (t) => {
  await using world = await startWorld()
  const { issuer, clock } = world
  await using stranger = await TestIssuer.start(world.ca, clock)
  world.alivePods.add(`${stranger.url} pod-uid`)
  const aud = [AUDIENCE]
  const now = clock.now() / 1000
  const wrongKey = await createSigningKey('first')
  const good = await issuer.token({ aud })
  const [header, , signature] = good.split('.')
  const payload = Buffer.from(JSON.stringify({ ...decodeJwt(good), sub: 'system:serviceaccount:ns:admin' }))

  const refusals: [name: string, token: string, description: RegExp][] = [
    ['wrong key under a known id', await issuer.token({ aud }, wrongKey), /could not be verified/],
    [
      'key id that the issuer does not show',
      await issuer.token({ aud }, { ...wrongKey, kid: 'x' }),
      /could not be verified/,
    ],
    ['changed claims', [header, payload.toString('base64url'), signature].join('.'), /could not be verified/],
    ['alg none', new UnsecuredJWT(decodeJwt(good)).encode(), /could not be verified/],
    ['issuer that is not trusted', await stranger.token({ aud }), /issuer in ID Token .* does not match/],
    [
      "stranger's key under the trusted name",
      await stranger.token({ aud, iss: issuer.url }),
      /could not be verified/,
    ],
    ['no issuer', await issuer.token({ aud, iss: undefined }), /issuer in ID Token none does not match/],
    ['issuer of a hostile shape', await issuer.token({ aud, iss: { toString: 1 } }), /issuer in ID Token/],
    [
      'wrong audience',
      await issuer.token({ aud: ['https://kubernetes'] }),
      /^The audience in ID Token \[.*kubernetes.*\] does not match the expected audience\.$/,
    ],
    ['no audience', await issuer.token({}), /audience|aud/],
    ['expired', await issuer.token({ aud, exp: now }), /^ID Token issued at \d+ is stale to sign-in\.$/],
    ['no end', await issuer.token({ aud, exp: undefined }), /claim exp/],
    ['not yet valid', await issuer.token({ aud, nbf: now + 60 }), /claim nbf/],
    ['dead pod', await issuer.token({ aud, 'kubernetes.io': { pod: { uid: 'gone' } } }), /no longer exists/],
    ['pod without a UID', await issuer.token({ aud, 'kubernetes.io': { pod: {} } }), /no longer exists/],
    ['no JWT', 'ya29.opaque', /not a JSON Web Token/],
    ['too long', `${good}${'A'.repeat(20_000)}`, /not a JSON Web Token/],
  ]
  for (const [name, token, error_description] of refusals) {
    t.match(
      await world.exchange(token),
      { status: 400, body: { error: 'invalid_grant', error_description } },
      name,
    )
  }
  t.equal((await world.exchange(good)).status, 200, 'while the good one is good')
  world.alivePods.clear()
  t.match(
    await world.exchange(good),
    { status: 400, body: { error: 'invalid_grant' } },
    'until its pod is gone',
  )
})

t.test('a token that is bound to no pod is taken, and names none', async (t) => {
  await using world = await startWorld()
  const token = await world.issuer.token({ aud: [AUDIENCE], 'kubernetes.io': { namespace: 'ns' } })
  const { body } = await world.exchange(token)
  t.equal(world.google.inspect(body.access_token)?.podUid, undefined)
  t.equal(world.google.inspect(body.access_token)?.identity, PRINCIPAL)
})

t.test('keys are fetched once, and again when a token names one not among them', async (t) => {
  await using world = await startWorld()
  const { issuer, google } = world
  const exchange = async () => (await world.exchange(await issuer.token({ aud: [AUDIENCE] }))).status
  t.same(await Promise.all([exchange(), exchange(), exchange()]), [200, 200, 200])
  t.equal(await exchange(), 200)
  t.same(issuer.requests, ['/.well-known/openid-configuration', '/openid/v1/jwks'])
  t.equal(google.calls.get('jwks'), 1)
  t.equal(google.calls.get('sts'), 4)

  issuer.keys.push(await createSigningKey('second'))
  t.equal(await exchange(), 200)
  t.equal(google.calls.get('jwks'), 2)
})

t.test(
  'an issuer that can not be asked, or names another, gives nothing; the next request asks again',
  async (t) => {
    await using world = await startWorld()
    const { issuer } = world
    const discovery = '/.well-known/openid-configuration'
    const jwks = '/openid/v1/jwks'
    const broken: [path: string, answer: { status?: number; body: string }][] = [
      [discovery, { status: 404, body: '{}' }],
      [discovery, { body: 'null' }],
      [discovery, { body: JSON.stringify({ issuer: 'https://other', jwks_uri: `${issuer.url}${jwks}` }) }],
      [discovery, { body: JSON.stringify({ issuer: issuer.url, jwks_uri: `http://127.0.0.1/${jwks}` }) }],
      [discovery, { body: JSON.stringify({ issuer: issuer.url }) }],
      [jwks, { status: 503, body: JSON.stringify({ keys: [issuer.keys[0]!.publicJwk] }) }],
      [jwks, { body: '{"keys":{}}' }],
      [jwks, { body: ' '.repeat(1 << 19) }],
    ]
    for (const [path, answer] of broken) {
      issuer.replaced.set(path, answer)
      const refused = await world.exchange(await issuer.token({ aud: [AUDIENCE] }))
      t.match(
        refused,
        { status: 400, body: { error: 'invalid_grant', error_description: /Error connecting/ } },
        answer.body.slice(0, 80),
      )
      issuer.replaced.clear()
    }
    t.ok(await world.federate())
  },
)

t.test('a token under a malformed key is refused', async (t) => {
  await using world = await startWorld()
  const { issuer } = world
  for (const key of [{ kty: 'RSA' }, { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, { kty: 'RSA', n: 5, e: {} }]) {
    const kid = JSON.stringify(key)
    issuer.replaced.set('/openid/v1/jwks', {
      body: JSON.stringify({ keys: [{ ...key, kid, alg: 'RS256' }] }),
    })
    const token = await issuer.token({ aud: [AUDIENCE] }, { ...issuer.keys[0]!, kid })
    const error_description = /could not be verified: unusable key/
    t.match(
      await world.exchange(token),
      { status: 400, body: { error: 'invalid_grant', error_description } },
      kid,
    )
  }
})

t.test('an issuer whose certificate is of another authority is not believed', async (t) => {
  await using world = await startWorld()
  await using elsewhere = await startWorld()
  world.google.addProvider(PROVIDER, { issuer: elsewhere.issuer.url })
  t.match(await world.exchange(await elsewhere.issuer.token({ aud: [AUDIENCE] })), {
    status: 400,
    body: { error: 'invalid_grant', error_description: /Error connecting/ },
  })
})
