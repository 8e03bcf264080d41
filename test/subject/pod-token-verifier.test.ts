import fc from 'fast-check'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { createPodTokenVerifier } from '../../src/subject/pod-token-verifier.ts'
import { answer, startApiServer } from '../kubernetes/api-server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/until.ts'

const ISSUER = 'https://oidc.example.com/id/1'
const EKS = 'pods.eks.amazonaws.com'
const never = new AbortController().signal

/** A key of an issuer. */
async function makeKey(kid: string, alg = 'RS256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}
type Key = Awaited<ReturnType<typeof makeKey>>

/** A verifier before an API server whose issuer has the given keys, at a time that stands still. */
async function start(t: Test, keys: Key[], audiences?: readonly string[]) {
  const clock = new FakeClock()
  const asked: string[] = []
  const server = { keys, issuer: ISSUER as string | undefined, status: 200, hang: false }
  const api = await startApiServer((request, response) => {
    asked.push(request.url!)
    if (server.hang) return
    const isKeys = request.url === '/openid/v1/jwks'
    // As kube-apiserver does, which serves its keys as nothing else (RFC 7517, section 8.5.2).
    if (isKeys && !/application\/jwk-set\+json/.test(request.headers.accept ?? '')) {
      answer(response, 406, {})
      return
    }
    const body = isKeys
      ? { keys: server.keys.map(({ jwk }) => jwk) }
      : { issuer: server.issuer, jwks_uri: 'https://elsewhere' }
    answer(response, server.status, body)
  })
  const client = createKubernetesClient(api.connection, { clock, log: silentLog, metrics: createMetrics() })
  t.teardown(async () => {
    await client.close()
    await api.close()
  })
  const { verify } = createPodTokenVerifier({
    client,
    clock,
    log: silentLog,
    ...(audiences && { audiences }),
  })
  const now = () => Math.floor(clock.now() / 1000)
  const claims = (): JWTPayload => ({
    iss: ISSUER,
    aud: [EKS],
    iat: now(),
    nbf: now(),
    exp: now() + 3600,
    'kubernetes.io': {
      namespace: 'a',
      pod: { name: 'x', uid: 'pod-1' },
      serviceaccount: { name: 's', uid: 'sa-1' },
    },
  })
  const sign = (key: Key, change: JWTPayload = {}, header: { kid?: string; alg?: string } = {}) =>
    new SignJWT({ ...claims(), ...change })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey)
  const code = (jwt: string, signal = never) =>
    verify(jwt, signal).then(
      () => 'ok',
      (error) => (error instanceof MetadatadError ? error.code : String(error)),
    )
  return { clock, now, server, asked, sign, verify, code }
}

t.test('a token of the cluster says whose it is, whatever its key is made of', async (t) => {
  const keys = await Promise.all(['RS256', 'ES256', 'ES384', 'ES512'].map((alg) => makeKey(alg, alg)))
  const { asked, sign, verify } = await start(t, keys)
  for (const key of keys) {
    t.same(await verify(await sign(key), never), {
      audience: EKS,
      podUid: 'pod-1',
      serviceAccountUid: 'sa-1',
    })
  }
  t.same(
    asked,
    ['/.well-known/openid-configuration', '/openid/v1/jwks'],
    'asked once, of the API server itself',
  )
})

t.test('what is wrong with a token is a refusal that says so', async (t) => {
  const key = await makeKey('one')
  const { now, sign, code, verify } = await start(t, [key])
  const forged = await makeKey('one')
  const pod = { namespace: 'a', pod: { uid: 'p' } }
  const [header, payload] = (await sign(key)).split('.')
  const secret = new TextEncoder().encode(await exportSPKI(key.publicKey))
  const hmac = await new SignJWT({ aud: EKS, exp: now() + 60 })
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(secret)
  for (const [what, jwt] of Object.entries({
    'another key under the same name': await sign(forged),
    'an HMAC with the public key': hmac,
    'no signature': `${Buffer.from('{"alg":"none","kid":"one"}').toString('base64url')}.${payload}.x`,
    'no key ID': await new SignJWT({ aud: EKS }).setProtectedHeader({ alg: 'RS256' }).sign(key.privateKey),
    'another issuer': await sign(key, { iss: `${ISSUER}/` }),
    'another audience': await sign(key, { aud: ['sts.amazonaws.com'] }),
    'no audience': await sign(key, { aud: undefined as never }),
    'expired now': await sign(key, { exp: now() }),
    'no end': await sign(key, { exp: undefined as never }),
    'not good for two minutes yet': await sign(key, { nbf: now() + 120 }),
    'bound to no pod': await sign(key, { 'kubernetes.io': { serviceaccount: { uid: 's' } } }),
    'of no service account': await sign(key, { 'kubernetes.io': pod }),
    'no claims of Kubernetes': await sign(key, { 'kubernetes.io': undefined }),
    'half a token': `${header}.${payload}`,
    'a long token': `${'a'.repeat(40_000)}.${payload}.x`,
    nothing: '',
  })) {
    t.equal(await code(jwt), 'REQUEST_INVALID', what)
  }
  const refusal = await verify(await sign(key, { aud: 'other' }), never).catch((error) => error)
  t.match(refusal.publicMessage, /is not for the audience pods\.eks\.amazonaws\.com/)
  t.equal(refusal.retryable, false)
})

t.test('any text is refused, and never asked about', async (t) => {
  const { asked, code } = await start(t, [])
  const segment = fc.oneof(
    fc.base64String(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
  )
  const text = fc.oneof(
    fc.string(),
    fc.tuple(segment, segment, segment).map((parts) => parts.join('.')),
  )
  await fc.assert(fc.asyncProperty(text, async (jwt) => (await code(jwt)) === 'REQUEST_INVALID'))
  t.same(asked, [])
})

t.test('the end is exact; the beginning has a minute for clocks that differ', async (t) => {
  const key = await makeKey('one')
  const { clock, now, sign, code } = await start(t, [key])
  t.equal(await code(await sign(key, { nbf: now() + 60 })), 'ok')
  const jwt = await sign(key, { exp: now() + 10 })
  await clock.advance(9_999)
  t.equal(await code(jwt), 'ok')
  await clock.advance(1)
  t.equal(await code(jwt), 'REQUEST_INVALID')
})

t.test('audiences are those that are configured', async (t) => {
  const key = await makeKey('one')
  const { sign, verify, code } = await start(t, [key], ['a', 'b'])
  t.equal((await verify(await sign(key, { aud: ['x', 'b'] }), never)).audience, 'b')
  t.equal((await verify(await sign(key, { aud: 'a' }), never)).audience, 'a')
  t.equal(await code(await sign(key)), 'REQUEST_INVALID')
})

t.test('an unknown key makes the keys be fetched again, every ten seconds at most', async (t) => {
  const [one, two, forged] = await Promise.all([makeKey('one'), makeKey('two'), makeKey('forged')])
  const { clock, asked, server, sign, code, verify } = await start(t, [one])
  t.equal(await code(await sign(one)), 'ok')
  server.keys = [one, two]
  await clock.advance(1_000)
  await t.rejects(verify(await sign(two), never), { code: 'KUBERNETES_UNAVAILABLE', retryable: true })
  t.equal(asked.length, 2)
  await clock.advance(9_000)
  t.equal(await code(await sign(two)), 'ok')
  t.equal(await code(await sign(one)), 'ok', 'the old key is good as long as it is published')
  t.equal(asked.length, 4)
  const rubbish = await sign(forged)
  for (let second = 0; second < 20; second++) {
    t.equal(await code(rubbish), 'REQUEST_INVALID')
    await clock.advance(1_000)
  }
  t.equal(asked.length, 6)
  server.keys = [two]
  await clock.advance(3_600_000)
  t.equal(
    await code(await sign(one)),
    'REQUEST_INVALID',
    'a key that is withdrawn is good for an hour at most',
  )
})

t.test('a token that was verified before goes with its key, and with its own end', async (t) => {
  const [one, two] = await Promise.all([makeKey('one'), makeKey('two')])
  const { clock, now, server, sign, code } = await start(t, [one])
  const [short, long] = [await sign(one, { exp: now() + 600 }), await sign(one, { exp: now() + 7_200 })]
  for (const jwt of [short, long, short, long]) t.equal(await code(jwt), 'ok')
  await clock.advance(599_000)
  t.equal(await code(short), 'ok')
  await clock.advance(1_000)
  t.equal(await code(short), 'REQUEST_INVALID')
  t.equal(await code(long), 'ok')
  server.keys = [two]
  await clock.advance(3_000_000)
  t.equal(await code(long), 'REQUEST_INVALID')
})

t.test('an issuer that was renamed is known by its new name, although its key is the same', async (t) => {
  const key = await makeKey('one')
  const { clock, asked, server, sign, code } = await start(t, [key])
  t.equal(await code(await sign(key)), 'ok')
  server.issuer = 'https://oidc.example.com/id/2'
  const renamed = () => sign(key, { iss: server.issuer! })
  await clock.advance(1_000)
  t.equal(await code(await renamed()), 'KUBERNETES_UNAVAILABLE', 'it may be newer than what is known')
  t.equal(asked.length, 2)
  await clock.advance(9_000)
  t.equal(await code(await renamed()), 'ok')
  t.equal(asked.length, 4)
  for (let second = 0; second < 20; second++) {
    t.equal(await code(await sign(key, { iat: 0 })), 'REQUEST_INVALID', 'the old name is no longer good')
    await clock.advance(1_000)
  }
  t.equal(asked.length, 6)
})

t.test('keys that were had are used while the API server fails', async (t) => {
  const key = await makeKey('one')
  const { clock, server, sign, code } = await start(t, [key])
  t.equal(await code(await sign(key)), 'ok')
  server.status = 500
  await clock.advance(7_200_000)
  t.equal(await code(await sign(key)), 'ok')
})

t.test(
  'while there are no keys it is a failure that passes, and the API server is not pressed',
  async (t) => {
    const key = await makeKey('one')
    const { clock, asked, server, sign, code } = await start(t, [key])
    server.status = 403
    const jwt = await sign(key)
    for (let i = 0; i < 5; i++) t.equal(await code(jwt), 'KUBERNETES_FORBIDDEN')
    t.equal(asked.length, 1)
    await clock.advance(1_000)
    server.status = 200
    server.issuer = undefined
    t.equal(await code(jwt), 'KUBERNETES_INVALID')
    await clock.advance(1_000)
    server.issuer = ISSUER
    t.equal(await code(jwt), 'ok')
  },
)

t.test('all who wait share one request, which none can cancel for the others', async (t) => {
  const key = await makeKey('one')
  const { clock, asked, server, sign, code } = await start(t, [key])
  server.hang = true
  const jwt = await sign(key)
  const leaving = new AbortController()
  const left = code(jwt, leaving.signal)
  const others = Array.from({ length: 50 }, () => code(jwt))
  await until(() => asked.length === 1)
  leaving.abort()
  t.equal(await left, 'KUBERNETES_UNAVAILABLE')
  await clock.advance(5_000)
  t.same(new Set(await Promise.all(others)), new Set(['KUBERNETES_UNAVAILABLE']))
  t.equal(asked.length, 1)
  t.equal(clock.pending, 0)
  server.hang = false
  await clock.advance(1_000)
  t.equal(await code(jwt), 'ok')
})
