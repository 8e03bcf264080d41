import t, { type Test } from 'tap'
import { createContainerCredentialsProtocol } from '../../../src/endpoints/container-credentials/container-credentials-protocol.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { startSandbox } from '../../../src/sandbox/start-sandbox.ts'
import { createPodTokenVerifier } from '../../../src/subject/pod-token-verifier.ts'
import { sandboxClient } from '../../kubernetes/sandbox-client.ts'
import { failure, type TestAnswer, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'
import { awsPipeline } from '../aws/start-aws.ts'
import { startProtocols } from '../start-protocols.ts'

const PATH = '/v1/credentials'
const EKS = 'pods.eks.amazonaws.com'

/** The endpoint before a sandbox's cluster, whose pods `alpha` and `beta` are at 127.0.0.1 and 127.0.0.2. */
async function start(t: Test, { relativeUri = false, dialled = '169.254.170.23' } = {}) {
  // It stands still: a request has 900 ms for the cluster's keys, which are asked for again after 10 s at the earliest.
  const clock = new FakeClock(Date.now())
  const { kubernetes, client } = await sandboxClient(t, [], clock)
  const { verify } = createPodTokenVerifier({ client, clock, log: silentLog })
  const endpoints = await startProtocols(
    t,
    (parts) => [
      createContainerCredentialsProtocol({
        ...parts,
        pipeline: awsPipeline(parts.clock),
        verify,
        relativeUri,
      }),
    ],
    { clock, dialled: [{ address: dialled, port: 80 }] },
  )
  const callers = Object.fromEntries(
    ['alpha', 'beta'].map((name) => {
      const uid = kubernetes.createPod({ namespace: 'default', name, serviceAccountName: name })
      const caller = testCaller(name)
      const serviceAccountUid = kubernetes.applyServiceAccount('default', name)
      return [
        name,
        {
          ...caller,
          pod: { ...caller.pod, uid },
          serviceAccount: { ...caller.serviceAccount, uid: serviceAccountUid },
        },
      ]
    }),
  )
  endpoints.identifier.set('127.0.0.1', callers.alpha)
  endpoints.identifier.set('127.0.0.2', callers.beta)
  const mint = (name: string, audience = EKS, seconds?: number) =>
    kubernetes.mintToken({ namespace: 'default', name }, audience, seconds)
  const get = (authorization: string, from = '127.0.0.1') =>
    endpoints.ask(PATH, { from, headers: { Authorization: authorization } })
  return { ...endpoints, kubernetes, mint, get, callers }
}

function isError(t: Pick<Test, 'equal' | 'ok'>, answer: TestAnswer, status: number) {
  t.equal(answer.status, status)
  t.equal(answer.headers['content-type'], 'application/json')
  const { code, message, Code, Message } = JSON.parse(answer.body)
  t.ok(code === Code && message === Message && code.length > 0 && message.length > 0, answer.body)
}

t.test('C1 the pod’s own token gives the five fields', async (t) => {
  const { ask, get, mint } = await start(t)
  const jwt = await mint('alpha')
  const answer = await get(jwt)
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/json')
  const body = JSON.parse(answer.body)
  t.match(body, {
    AccessKeyId: 'ASIA-alpha',
    SecretAccessKey: /^secret-/,
    Token: /^session-/,
    AccountId: '123456789012',
    Expiration: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  })
  t.equal(Object.keys(body).length, 5)
  for (const Host of ['169.254.170.23', '[fd00:ec2::23]:80']) {
    t.equal((await ask(`/${PATH}/`, { headers: { Authorization: jwt, Host } })).status, 200)
  }
})

t.test('C2 without Authorization it is 400', async (t) => {
  const { ask } = await start(t)
  isError(t, await ask(PATH), 400)
  isError(t, await ask(PATH, { headers: { Authorization: '' } }), 400)
})

t.test('C3 a scheme before the token, or a second one, is 400', async (t) => {
  const { ask, get, mint } = await start(t)
  const jwt = await mint('alpha')
  isError(t, await get(`Bearer ${jwt}`), 400)
  isError(t, await get(`bearer ${jwt}`), 400)
  isError(t, await ask(PATH, { headers: { Authorization: [jwt, jwt] } }), 400)
})

t.test('C4 a bad or expired token, or one for another audience, is 400', async (t) => {
  const { clock, get, kubernetes, mint } = await start(t)
  const other = await startSandbox({ clock })
  t.teardown(() => other.close())
  other.kubernetes.createPod({ namespace: 'default', name: 'alpha', serviceAccountName: 'alpha' })
  const jwt = await mint('alpha')
  const [header, payload, signature] = jwt.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  for (const bad of [
    'x',
    'a.b.c',
    `${header}.${payload}.`,
    `${none}.${payload}.${signature}`,
    `${header}.${payload}.${'A'.repeat(signature!.length)}`,
    jwt.slice(0, -1),
    await mint('alpha', 'sts.amazonaws.com'),
    await mint('alpha', EKS, -1),
    await other.kubernetes.mintToken({ namespace: 'default', name: 'alpha' }, EKS),
  ]) {
    isError(t, await get(bad), 400)
  }
  t.equal(kubernetes.calls.get('get /openid/v1/jwks'), 1, 'bad tokens do not make the keys be fetched again')
})

t.test('the token of another pod is 403, whoever presents it', async (t) => {
  const { callers, get, identifier, kubernetes, mint } = await start(t)
  const alphas = await mint('alpha')
  isError(t, await get(alphas, '127.0.0.2'), 403)
  isError(t, await get(await mint('beta')), 403)
  t.equal((await get(alphas)).status, 200)

  const { alpha } = callers
  const serviceAccount = { ...alpha!.serviceAccount, uid: 'made-anew' }
  identifier.set('127.0.0.1', { ...alpha!, valid: true, serviceAccount })
  isError(t, await get(alphas), 403)

  kubernetes.removePod('default', 'alpha')
  const uid = kubernetes.createPod({ namespace: 'default', name: 'alpha', serviceAccountName: 'alpha' })
  identifier.set('127.0.0.1', { ...alpha!, valid: true, pod: { ...alpha!.pod, uid } })
  isError(t, await get(alphas), 403)
})

t.test('an address that changes hands while the credentials are obtained gets none', async (t) => {
  const { callers, credentials, get, identifier, mint } = await start(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  let entered = false
  credentials.gate = () => {
    entered = true
    return promise
  }
  const answer = get(await mint('alpha'))
  await until(() => entered)
  identifier.set('127.0.0.1', { ...callers.beta!, valid: true })
  resolve()
  isError(t, await answer, 403)
})

t.test('without a token only at 169.254.170.2, by its address, where the operator wants it', async (t) => {
  const headers = { Host: '169.254.170.2' }
  const on = await start(t, { relativeUri: true, dialled: '169.254.170.2' })
  const answer = await on.ask(PATH, { headers })
  t.equal(JSON.parse(answer.body).AccessKeyId, 'ASIA-alpha')
  t.equal((await on.ask(PATH, { headers, from: '127.0.0.2' })).status, 200)
  isError(t, await on.ask(PATH, { headers: { Host: 'rebound.example.com' } }), 400)
  isError(t, await on.ask(PATH, { headers: { ...headers, Authorization: 'x' } }), 400)
  isError(t, await on.get(await on.mint('beta')), 403)

  const elsewhere = await start(t, { relativeUri: true })
  isError(t, await elsewhere.ask(PATH, { headers }), 400)
  const off = await start(t, { dialled: '169.254.170.2' })
  isError(t, await off.ask(PATH, { headers }), 400)
})

t.test('refusals have statuses that providers print, and what passes has Retry-After', async (t) => {
  const { credentials, get, identifier, mint, callers } = await start(t)
  const jwt = await mint('alpha')
  const statuses = { IDENTITY_NONE: 404, EXCHANGE_REFUSED: 403, EXCHANGE_MISCONFIGURED: 403 } as const
  for (const [code, status] of Object.entries(statuses)) {
    credentials.gate = () => Promise.reject(failure(code as keyof typeof statuses, false, 'Mend it.'))
    const answer = await get(jwt)
    isError(t, answer, status)
    t.equal(JSON.parse(answer.body).message, 'Mend it.')
  }
  identifier.set('127.0.0.1', {
    ...callers.alpha!,
    valid: true,
    identity: failure('IDENTITY_REFUSED', false, 'Ask.'),
  })
  isError(t, await get(jwt), 403)
  identifier.set('127.0.0.1', { ...callers.alpha!, valid: true })
  credentials.gate = () => Promise.reject(failure('EXCHANGE_UNAVAILABLE', true, 'Wait.'))
  const answer = await get(jwt)
  isError(t, answer, 503)
  t.equal(answer.headers['retry-after'], '1')
})

t.test('while the cluster’s keys can’t be had it is 503', async (t) => {
  const { get, kubernetes, mint } = await start(t)
  const jwt = await mint('alpha')
  kubernetes.outage = true
  const answer = await get(jwt)
  isError(t, answer, 503)
  t.equal(answer.headers['retry-after'], '1')
})

t.test('other paths, methods and forwarded requests', async (t) => {
  const { ask, blocked, mint } = await start(t)
  const headers = { Authorization: await mint('alpha') }
  for (const path of [
    '/',
    '/v1',
    '/v1/credentials/x',
    '/latest/meta-data/',
    '/metadata/instance',
    '/V1/credentials',
  ]) {
    isError(t, await ask(path, { headers }), 404)
  }
  t.equal(await blocked(), 6)
  isError(t, await ask(PATH, { method: 'POST', headers }), 405)
  isError(t, await ask(PATH, { headers: { ...headers, 'X-Forwarded-For': '10.0.0.1' } }), 403)
})

t.test('a request is held for its pod for 900 ms', async (t) => {
  const clock = new FakeClock()
  const { ask, identifier } = await startProtocols(
    t,
    (parts) => [
      createContainerCredentialsProtocol({
        ...parts,
        pipeline: awsPipeline(parts.clock),
        verify: async () => ({ podUid: 'pod-alpha', serviceAccountUid: 'sa-alpha' }),
        relativeUri: false,
      }),
    ],
    { clock },
  )
  const headers = { Authorization: 'a.b.c' }
  const late = ask(PATH, { headers })
  await until(() => identifier.waiting === 1)
  await clock.advance(900)
  isError(t, await late, 503)
  const soon = ask(PATH, { headers })
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.0.1', testCaller('alpha'))
  t.equal((await soon).status, 200)
  t.equal(clock.pending, 0, 'no timer is left')
})
