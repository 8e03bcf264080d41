import t from 'tap'
import { Agent } from 'undici'
import { parse } from 'yaml'
import { startCluster } from './test-cluster.ts'

t.test('a user may do exactly what was granted, and is refused in the real server’s words', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  const token = kubernetes.userToken('x', ['get pods'])
  t.match(await call('/api/v1/namespaces/a/pods/x', { token }), { status: 200 })
  const refusals: [string, string, object?][] = [
    [
      '/api/v1/pods',
      'pods is forbidden: User "x" cannot list resource "pods" in API group "" at the cluster scope',
    ],
    [
      '/api/v1/namespaces/a/pods?watch=1',
      'pods is forbidden: User "x" cannot watch resource "pods" in API group "" in the namespace "a"',
    ],
    [
      '/api/v1/nodes/n1',
      'nodes "n1" is forbidden: User "x" cannot get resource "nodes" in API group "" at the cluster scope',
    ],
    [
      '/api/v1/namespaces/a/serviceaccounts/default/token',
      'serviceaccounts "default" is forbidden: User "x" cannot create resource "serviceaccounts/token" in API group "" in the namespace "a"',
      {},
    ],
    [
      '/apis/events.k8s.io/v1/namespaces/a/events',
      'events.events.k8s.io is forbidden: User "x" cannot create resource "events" in API group "events.k8s.io" in the namespace "a"',
      {},
    ],
    ['/api/v1/secrets', 'forbidden: User "x" cannot get path "/api/v1/secrets"'],
  ]
  for (const [path, message, body] of refusals) {
    t.match(await call(path, { token, body }), {
      status: 403,
      body: { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message },
    })
  }
})

t.test('a wrong token is 401, and no token is the anonymous user', async (t) => {
  const { call } = await startCluster(t)
  t.match(await call('/api/v1/pods', { token: 'wrong' }), {
    status: 401,
    body: { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized', code: 401 },
  })
  t.match(await call('/api/v1/pods', { token: null }), {
    status: 403,
    body: { message: /^pods is forbidden: User "system:anonymous" cannot list/ },
  })
  const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  t.match(await call(review, { token: null, body: {} }), { status: 403 })
})

t.test('version, health, discovery and keys need no credentials', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  t.match(await call('/version', { token: null }), { status: 200, body: { major: '1' } })
  t.same(await call('/readyz', { token: null }), { status: 200, body: 'ok' })
  const { body } = await call('/.well-known/openid-configuration', { token: null })
  t.match(body, { issuer: kubernetes.url, jwks_uri: `${kubernetes.url}/openid/v1/jwks` })
  t.match(await call('/openid/v1/jwks', { token: null }), {
    body: { keys: [{ kty: 'RSA', alg: 'RS256', use: 'sig' }] },
  })
  const json = await call('/openid/v1/jwks', { token: null, accept: 'application/json' })
  t.equal(json.status, 406, 'as kube-apiserver answers')
})

t.test('a SelfSubjectAccessReview tells every user what it may do', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  const token = kubernetes.userToken('x', ['list pods', 'create serviceaccounts/token'])
  const review = async (resourceAttributes: object) => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    return call(path, { token, body: { spec: { resourceAttributes } } })
  }
  t.match(await review({ verb: 'list', resource: 'pods' }), {
    status: 201,
    body: { status: { allowed: true } },
  })
  t.match(await review({ verb: 'create', resource: 'serviceaccounts', subresource: 'token' }), {
    body: { kind: 'SelfSubjectAccessReview', status: { allowed: true } },
  })
  t.match(await review({ verb: 'watch', resource: 'pods' }), { body: { status: { allowed: false } } })
})

t.test('a kubeconfig and a client certificate carry the user they are made for', async (t) => {
  const { kubernetes, call, ca } = await startCluster(t)
  const config = parse(kubernetes.kubeconfig('x', ['list pods']))
  t.equal(config.clusters[0].cluster.server, kubernetes.url)
  t.equal(Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64').toString(), ca.pem)
  t.match(await call('/api/v1/pods', { token: config.users[0].user.token }), { status: 200 })

  const certificate = await kubernetes.clientCertificate('carol', ['list pods'])
  const dispatcher = new Agent({ connect: { ca: ca.pem, ...certificate } })
  t.teardown(() => dispatcher.destroy())
  t.match(await call('/api/v1/pods', { token: null }, dispatcher), { status: 200 })
  t.match(await call('/api/v1/nodes', { token: null }, dispatcher), {
    status: 403,
    body: { message: /User "carol" cannot list/ },
  })
})

t.test('a service-account token for the API server authenticates its ServiceAccount', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  const pod = { namespace: 'a', name: 'x' }
  kubernetes.createPod({ ...pod, serviceAccountName: 'sa' })
  const token = await kubernetes.mintToken(pod, kubernetes.issuer)
  t.match(await call('/api/v1/pods', { token }), {
    status: 403,
    body: { message: /"system:serviceaccount:a:sa"/ },
  })
  kubernetes.userToken('system:serviceaccount:a:sa', ['list pods'])
  t.match(await call('/api/v1/pods', { token }), { status: 200 })
  t.match(await call('/api/v1/pods', { token: await kubernetes.mintToken(pod, 'other') }), { status: 401 })
  kubernetes.removePod('a', 'x')
  t.match(await call('/api/v1/pods', { token }), { status: 401 })
})

t.test('events of both APIs are kept, checked and readable by the scenario', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  const uid = kubernetes.createPod({ namespace: 'a', name: 'x' })
  const involvedObject = { kind: 'Pod', namespace: 'a', name: 'x', uid }
  const core = {
    metadata: { generateName: 'x.' },
    involvedObject,
    reason: 'Refused',
    message: 'why',
    type: 'Warning',
  }
  t.match(await call('/api/v1/namespaces/a/events', { body: core }), {
    status: 201,
    body: { kind: 'Event', apiVersion: 'v1', metadata: { name: /^x\.[0-9a-f]{5}$/, namespace: 'a' } },
  })
  const event = {
    metadata: { name: 'x.1', namespace: 'a' },
    regarding: involvedObject,
    reason: 'Refused',
    note: 'because',
    action: 'Exchange',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'metadatad',
    reportingInstance: 'n1',
  }
  const path = '/apis/events.k8s.io/v1/namespaces/a/events'
  t.match(await call(path, { body: event }), { status: 201, body: { apiVersion: 'events.k8s.io/v1' } })
  t.same(kubernetes.events, [
    { namespace: 'a', reason: 'Refused', message: 'why', regardingUid: uid, count: 1 },
    { namespace: 'a', reason: 'Refused', message: 'because', regardingUid: uid, count: 1 },
  ])
  t.match(await call(path, { body: event }), { status: 409, body: { reason: 'AlreadyExists' } })
  t.match(await call(path, { body: { ...event, metadata: { name: 'y' }, eventTime: undefined } }), {
    status: 422,
  })
  t.match(await call(path, { body: { ...event, metadata: { name: 'y' }, note: 'n'.repeat(1025) } }), {
    status: 422,
  })
  t.match(await call(path, { body: { ...event, metadata: { name: 'y', namespace: 'b' } } }), { status: 400 })
  t.match(await call('/api/v1/namespaces/none/events', { body: core }), { status: 404 })
  t.equal(kubernetes.events.length, 2)

  const type = 'application/json-patch+json'
  const patch = (at: string, body: unknown) => call(at, { method: 'PATCH', type, body })
  const body = [{ op: 'add', path: '/count', value: 7 }]
  t.match(await patch(`${path}/x.1`, body), { status: 200, body: { count: 7 } })
  t.equal(kubernetes.events[1]?.count, 7)
  t.match(await patch(`${path}/x.2`, body), { status: 404 })
  t.match(await patch(`/api/v1/namespaces/a/events/x.1`, body), { status: 404 }, 'kept in the API it is of')
  t.match(await patch(`${path}/x.1`, [{ op: 'add', path: '/metadata/name', value: 'y' }]), { status: 422 })
  t.match(await call(`${path}/x.1`, { method: 'PATCH', body }), { status: 415 })
})

t.test('unknown paths and methods are refused', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  for (const path of [
    '/',
    '/apis/apps/v1/deployments',
    '/api/v1/pods/x',
    '/api/v1/namespaces/%/pods',
    '/api/v2/pods',
  ]) {
    t.match(await call(path), { status: 404 }, path)
  }
  t.match(await call('/api/v1/namespaces/a/pods/x', { method: 'DELETE' }), { status: 405 })
  t.match(await call('/api/v1/namespaces/a/pods', { body: {} }), { status: 405 })
  t.match(await call('/api/v1/namespaces/a/events', { body: [] }), { status: 400 })
  t.same([...kubernetes.calls.keys()], ['other', 'delete pods', 'create pods', 'create events'])
})
