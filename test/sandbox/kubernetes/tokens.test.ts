import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { startCluster } from './test-cluster.ts'

const PATH = '/api/v1/namespaces/a/serviceaccounts/sa/token'
const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews'

async function startWithPod(t: Parameters<typeof startCluster>[0]) {
  const cluster = await startCluster(t)
  cluster.kubernetes.applyNode('n1')
  const uid = cluster.kubernetes.createPod({
    namespace: 'a',
    name: 'x',
    serviceAccountName: 'sa',
    nodeName: 'n1',
  })
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'x', uid }
  return { ...cluster, uid, boundObjectRef }
}

t.test('a TokenRequest bound to a pod gives a signed token with the claims of Kubernetes 1.32', async (t) => {
  const { kubernetes, call, uid, boundObjectRef } = await startWithPod(t)
  const spec = { audiences: ['aud'], expirationSeconds: 1200, boundObjectRef }
  const { status, body } = await call(PATH, { body: { spec } })
  t.equal(status, 201)
  t.match(body, { kind: 'TokenRequest', metadata: { name: 'sa', namespace: 'a' }, spec })
  const jwks = (await call('/openid/v1/jwks')).body
  const { payload, protectedHeader } = await jwtVerify(body.status.token, createLocalJWKSet(jwks))
  t.match(protectedHeader, { alg: 'RS256', kid: jwks.keys[0].kid })
  t.equal(payload.exp! - payload.iat!, 1200)
  t.equal(Date.parse(body.status.expirationTimestamp), payload.exp! * 1000)
  t.match(payload, {
    iss: kubernetes.issuer,
    sub: 'system:serviceaccount:a:sa',
    aud: ['aud'],
    nbf: payload.iat,
    jti: /^[0-9a-f-]{36}$/,
    'kubernetes.io': {
      namespace: 'a',
      serviceaccount: {
        name: 'sa',
        uid: (await call('/api/v1/namespaces/a/serviceaccounts/sa')).body.metadata.uid,
      },
      pod: { name: 'x', uid },
      node: { name: 'n1', uid: (await call('/api/v1/nodes/n1')).body.metadata.uid },
    },
  })
})

t.test('a TokenRequest that names nothing is for the API server, for an hour, bound to no pod', async (t) => {
  const { kubernetes, call } = await startWithPod(t)
  const { token } = (await call(PATH, { body: { spec: {} } })).body.status
  const claims = decodeJwt(token)
  t.same(claims.aud, [kubernetes.issuer])
  t.equal(claims.exp! - claims.iat!, 3600)
  t.same(Object.keys(claims['kubernetes.io'] as object), ['namespace', 'serviceaccount'])
})

t.test('a life is refused below ten minutes and cut above a day', async (t) => {
  const { call } = await startWithPod(t)
  const ask = (expirationSeconds: unknown) => call(PATH, { body: { spec: { expirationSeconds } } })
  t.match(await ask(599), {
    status: 422,
    body: {
      reason: 'Invalid',
      message: /expirationSeconds: Invalid value: 599: may not specify a duration less/,
    },
  })
  t.match(await ask(2 ** 33), { status: 422 })
  t.match(await ask('600'), { status: 400 })
  t.match(await ask(10 ** 9), { status: 201, body: { spec: { expirationSeconds: 86_400 } } })
})

t.test('the bound object must be that very pod, of that ServiceAccount', async (t) => {
  const { kubernetes, call, boundObjectRef } = await startWithPod(t)
  kubernetes.createPod({ namespace: 'a', name: 'other', serviceAccountName: 'else' })
  const ask = (change: object, path = PATH) =>
    call(path, { body: { spec: { boundObjectRef: { ...boundObjectRef, ...change } } } })
  t.match(await ask({ name: 'none' }), { status: 404, body: { message: 'pods "none" not found' } })
  t.match(await ask({ uid: 'stale' }), {
    status: 409,
    body: { reason: 'Conflict', message: /the UID in the bound object reference \(stale\) does not match/ },
  })
  t.match(await ask({ name: 'other', uid: undefined }), {
    status: 400,
    body: { message: /different serviceaccount/ },
  })
  t.match(await ask({ kind: 'Secret' }), { status: 400 })
  t.match(await ask({}, PATH.replace('sa/', 'none/')), {
    status: 404,
    body: { message: 'serviceaccounts "none" not found' },
  })
  t.match(await call(PATH, { body: { spec: { boundObjectRef: 'x' } } }), { status: 400 })
  t.match(await call(PATH, { body: { spec: { audiences: 'x' } } }), { status: 400 })
  kubernetes.removePod('a', 'x')
  kubernetes.createPod({ namespace: 'a', name: 'x', serviceAccountName: 'sa' })
  t.match(await ask({}), { status: 409 }, 'a pod of the same name is another pod')
})

t.test('a TokenReview knows a token as long as its pod is there, for its audience', async (t) => {
  const { kubernetes, call, uid, podIsAlive } = await startWithPod(t)
  const token = await kubernetes.mintToken({ namespace: 'a', name: 'x' }, 'aud')
  const review = async (audiences: string[], reviewed = token) => {
    const { status, body } = await call(REVIEW, { body: { spec: { token: reviewed, audiences } } })
    t.equal(status, 201)
    return body.status
  }
  t.match(await review(['other', 'aud']), {
    authenticated: true,
    audiences: ['aud'],
    user: {
      username: 'system:serviceaccount:a:sa',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/pod-uid': [uid],
        'authentication.kubernetes.io/node-name': ['n1'],
      },
    },
  })
  t.ok(podIsAlive(kubernetes.issuer, uid))
  t.notOk(podIsAlive('https://elsewhere', uid))
  for (const status of [await review(['other']), await review([]), await review(['aud'], `${token}x`)]) {
    t.match(status, { authenticated: undefined, error: 'invalid bearer token' })
  }
  kubernetes.removePod('a', 'x')
  kubernetes.createPod({ namespace: 'a', name: 'x', serviceAccountName: 'sa' })
  t.equal((await review(['aud'])).authenticated, undefined)
  t.notOk(podIsAlive(kubernetes.issuer, uid))
  t.match(await call(REVIEW, { body: {} }), { status: 400 })
})

t.test('a token ends with its ServiceAccount', async (t) => {
  const { kubernetes, call } = await startWithPod(t)
  const token = await kubernetes.mintToken({ namespace: 'a', name: 'x' }, kubernetes.issuer)
  const before = kubernetes.applyServiceAccount('a', 'sa', { changed: 'yes' })
  t.match(await call(REVIEW, { body: { spec: { token } } }), { body: { status: { authenticated: true } } })
  kubernetes.removeServiceAccount('a', 'sa')
  t.not(kubernetes.applyServiceAccount('a', 'sa'), before)
  t.match(await call(REVIEW, { body: { spec: { token } } }), {
    body: { status: { authenticated: undefined } },
  })
})

t.test('after a rotation the new key signs and both are published', async (t) => {
  const { kubernetes, call } = await startWithPod(t)
  const pod = { namespace: 'a', name: 'x' }
  const old = await kubernetes.mintToken(pod, 'aud')
  await kubernetes.rotateSigningKey()
  const fresh = await kubernetes.mintToken(pod, 'aud')
  t.not(decodeProtectedHeader(fresh).kid, decodeProtectedHeader(old).kid)
  const keys = createLocalJWKSet((await call('/openid/v1/jwks')).body)
  for (const token of [old, fresh]) {
    await jwtVerify(token, keys)
    t.match(await call(REVIEW, { body: { spec: { token, audiences: ['aud'] } } }), {
      body: { status: { authenticated: true } },
    })
  }
})
