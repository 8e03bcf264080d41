import t from 'tap'
import { startCluster } from './test-cluster.ts'

const names = (body: { items: { metadata: { name: string } }[] }) =>
  body.items.map((item) => item.metadata.name)

t.test('a get shows the whole object, and says so when there is none', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  const uid = kubernetes.createPod({
    namespace: 'a',
    name: 'x',
    nodeName: 'n1',
    ips: ['10.0.0.1', 'fd00::1'],
    serviceAccountName: 'sa',
    annotations: { note: 'yes' },
    projectedTokens: [{ volume: 'gcp', path: 'token', audience: 'aud' }],
  })
  const { status, body } = await call('/api/v1/namespaces/a/pods/x')
  t.equal(status, 200)
  t.match(body, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'x', namespace: 'a', uid, annotations: { note: 'yes' }, resourceVersion: /^\d+$/ },
    spec: {
      nodeName: 'n1',
      serviceAccountName: 'sa',
      volumes: [
        {
          name: 'gcp',
          projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'aud' } }] },
        },
        { name: /^kube-api-access-/ },
      ],
    },
    status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
  })
  t.match((await call('/api/v1/namespaces/a/serviceaccounts/sa')).body, { kind: 'ServiceAccount' })
  t.match((await call('/api/v1/namespaces/a')).body, { kind: 'Namespace' })
  t.match(await call('/api/v1/namespaces/a/pods/none'), {
    status: 404,
    body: {
      kind: 'Status',
      status: 'Failure',
      reason: 'NotFound',
      message: 'pods "none" not found',
      details: { name: 'none', kind: 'pods' },
      code: 404,
    },
  })
})

t.test('a node has the labels, provider ID and addresses it was given', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  kubernetes.applyNode('n1', { labels: { zone: 'z' }, providerId: 'gce://p/z/n1', internalIps: ['10.1.0.1'] })
  const first = (await call('/api/v1/nodes/n1')).body
  t.match(first, {
    kind: 'Node',
    metadata: { labels: { zone: 'z' } },
    spec: { providerID: 'gce://p/z/n1' },
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.1.0.1' },
        { type: 'Hostname', address: 'n1' },
      ],
    },
  })
  kubernetes.applyNode('n1', { labels: { zone: 'y' } })
  const second = (await call('/api/v1/nodes/n1')).body
  t.equal(second.metadata.uid, first.metadata.uid)
  t.equal(second.metadata.labels.zone, 'y')
})

t.test('list items leave out kind and version, and lists select by namespace and by field', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x', nodeName: 'n1', ips: ['10.0.0.1'] })
  kubernetes.createPod({ namespace: 'a', name: 'y', nodeName: 'n2', phase: 'Pending' })
  kubernetes.createPod({ namespace: 'b', name: 'z', nodeName: 'n1', ips: ['10.0.0.2'] })
  kubernetes.createPod({ namespace: 'a-b', name: 'w', ips: ['10.0.0.3'] })
  const all = (await call('/api/v1/pods')).body
  t.match(all, { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: /^\d+$/ } })
  t.equal(all.items[0].kind, undefined)
  t.same(names(all), ['w', 'x', 'y', 'z'], 'in the order of namespace and name')
  t.same(names((await call('/api/v1/namespaces/a/pods')).body), ['x', 'y'])
  const selected: [string, string[]][] = [
    ['spec.nodeName=n1', ['x', 'z']],
    ['spec.nodeName==n1,metadata.namespace=b', ['z']],
    ['spec.nodeName!=n1', ['w', 'y']],
    ['spec.nodeName=', ['w']],
    ['status.podIP=10.0.0.3', ['w']],
    ['status.phase=Pending', ['y']],
    ['metadata.name=x', ['x']],
    ['spec.nodeName=none', []],
  ]
  for (const [selector, expected] of selected) {
    const { body } = await call(`/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`)
    t.same(names(body), expected, selector)
  }
  const unsupported = await call('/api/v1/pods?fieldSelector=spec.color%3Dred')
  t.match(unsupported, {
    status: 400,
    body: { reason: 'BadRequest', message: /field label not supported: spec.color/ },
  })
  t.match(await call('/api/v1/pods?labelSelector=a%3Db'), { status: 400 })
})

t.test('metadata-only lists and gets show nothing but metadata', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  kubernetes.applyServiceAccount('a', 'sa', { 'iam.gke.io/gcp-service-account': 'x@y' })
  const list = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
  const single = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
  t.match((await call('/api/v1/serviceaccounts', { accept: list })).body, {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    items: [
      {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { name: 'sa', annotations: { 'iam.gke.io/gcp-service-account': 'x@y' } },
      },
    ],
  })
  const one = await call('/api/v1/namespaces/a/serviceaccounts/sa', { accept: `${single}, application/json` })
  t.match(one.body, { kind: 'PartialObjectMetadata', metadata: { name: 'sa' } })
  t.match(await call('/api/v1/serviceaccounts', { accept: single }), {
    status: 406,
    body: { reason: 'NotAcceptable' },
  })
  t.match(await call('/api/v1/pods', { accept: 'application/vnd.kubernetes.protobuf' }), { status: 406 })
  t.match(await call('/api/v1/pods', { accept: `application/yaml, ${list}` }), {
    body: { kind: 'PartialObjectMetadataList' },
  })
})

t.test('pages of a list all show the version of the first, whatever changes meanwhile', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  for (let i = 0; i < 5; i++) kubernetes.createPod({ namespace: 'a', name: `p${i}`, nodeName: 'n1' })
  const first = (await call('/api/v1/pods?limit=2&fieldSelector=spec.nodeName%3Dn1')).body
  t.same(names(first), ['p0', 'p1'])
  kubernetes.removePod('a', 'p2')
  kubernetes.createPod({ namespace: 'a', name: 'p25', nodeName: 'n1' })
  kubernetes.updatePod('a', 'p3', { annotations: { late: 'yes' } })
  const more = `limit=10&continue=${first.metadata.continue}`
  const second = (await call(`/api/v1/pods?${more}&fieldSelector=spec.nodeName%3Dn1`)).body
  t.same(names(second), ['p2', 'p3', 'p4'])
  t.equal(second.items[1].metadata.annotations, undefined)
  t.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  t.equal(second.metadata.continue, undefined)
  t.same(
    names((await call(`/api/v1/namespaces/a/pods?${more}`)).body),
    ['p2', 'p3', 'p4'],
    'without an index',
  )
  kubernetes.compact()
  t.match(await call(`/api/v1/pods?${more}`), { status: 410, body: { reason: 'Expired', code: 410 } })
  t.match(await call('/api/v1/pods?continue=rubbish'), { status: 400 })
})

t.test('a page is never longer than the scenario allows', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  for (let i = 0; i < 5; i++) kubernetes.createPod({ namespace: 'a', name: `p${i}` })
  kubernetes.maxPageSize = 2
  const seen: string[] = []
  let token = ''
  do {
    const { body } = await call(`/api/v1/pods?limit=500&continue=${token}`)
    t.ok(body.items.length <= 2)
    seen.push(...names(body))
    token = body.metadata.continue ?? ''
  } while (token !== '')
  t.same(seen, ['p0', 'p1', 'p2', 'p3', 'p4'])
})

t.test('a list can be asked for at a version, or not older than one', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  const version = (await call('/api/v1/pods')).body.metadata.resourceVersion
  kubernetes.createPod({ namespace: 'a', name: 'y' })
  const exact = `/api/v1/pods?resourceVersionMatch=Exact&resourceVersion=${version}`
  t.same(names((await call(exact)).body), ['x'])
  t.same(names((await call(`/api/v1/pods?resourceVersion=${version}`)).body), ['x', 'y'])
  t.same(names((await call(`/api/v1/pods?limit=9&resourceVersion=${version}`)).body), ['x'])
  t.match(await call('/api/v1/pods?resourceVersion=999999'), {
    status: 504,
    body: { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } },
  })
  t.match(await call('/api/v1/pods?resourceVersion=new'), { status: 400 })
  t.match(await call('/api/v1/pods?resourceVersionMatch=Exact'), { status: 422, body: { reason: 'Invalid' } })
  t.match(await call('/api/v1/pods?resourceVersionMatch=Newer&resourceVersion=1'), { status: 422 })
  t.match(await call('/api/v1/pods?resourceVersionMatch=Exact&resourceVersion=0'), { status: 422 })
  kubernetes.compact()
  t.match(await call(exact), { status: 410 })
})
