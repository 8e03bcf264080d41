import fc from 'fast-check'
import t from 'tap'
import { decodeNode } from '../../src/kubernetes/decode-node.ts'
import { decodePod } from '../../src/kubernetes/decode-pod.ts'
import { decodeServiceAccount } from '../../src/kubernetes/decode-service-account.ts'
import { parseWatchEvent } from '../../src/kubernetes/watch-event.ts'
import { canonicalAddress } from '../../src/lib/address.ts'

const pod = {
  metadata: {
    namespace: 'shop',
    name: 'cart-0',
    uid: 'u-1',
    resourceVersion: '41',
    creationTimestamp: '2026-01-02T03:04:05Z',
    annotations: {
      'iam.amazonaws.com/role': 'cart',
      'kubectl.kubernetes.io/last-applied-configuration': '{…}',
    },
    labels: { aadpodidbinding: 'cart', app: 'cart' },
  },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'cart',
    volumes: [
      { name: 'config', configMap: { name: 'x' } },
      {
        name: 'gcp',
        projected: {
          sources: [
            { configMap: { name: 'x' } },
            { serviceAccountToken: { audience: 'aud', path: 'token', expirationSeconds: 3600 } },
          ],
        },
      },
      { name: 'kube-api-access-x', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
    ],
  },
  status: {
    phase: 'Running',
    podIP: '10.0.0.9',
    podIPs: [{ ip: '10.0.0.9' }, { ip: 'FD00::0:9' }, { ip: '::ffff:10.0.0.9' }],
  },
}

t.test('a pod keeps the fields that decide who it is, and nothing else', async (t) => {
  t.strictSame(decodePod(pod), {
    namespace: 'shop',
    name: 'cart-0',
    uid: 'u-1',
    resourceVersion: '41',
    nodeName: 'n1',
    serviceAccountName: 'cart',
    hostNetwork: false,
    phase: 'Running',
    ips: ['10.0.0.9', 'fd00::9'],
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    terminating: false,
    sandboxGone: false,
    runtimeClassName: undefined,
    projectedTokens: [
      { volume: 'gcp', path: 'token', audience: 'aud' },
      { volume: 'kube-api-access-x', path: 'token', audience: undefined },
    ],
    annotations: { 'iam.amazonaws.com/role': 'cart' },
    labels: { aadpodidbinding: 'cart' },
  })
})

t.test('a pod without identity is not read', async (t) => {
  for (const field of ['namespace', 'name', 'uid', 'creationTimestamp']) {
    for (const value of [undefined, '', 7, null]) {
      t.equal(
        decodePod({ ...pod, metadata: { ...pod.metadata, [field]: value } }),
        undefined,
        `${field} ${value}`,
      )
    }
  }
  t.equal(decodePod({ ...pod, spec: { ...pod.spec, hostNetwork: 'true' } }), undefined)
})

t.test('the mirror of a static pod has no service account', async (t) => {
  const annotations = { 'kubernetes.io/config.mirror': 'hash' }
  const decoded = decodePod({ ...pod, metadata: { ...pod.metadata, annotations } })
  t.equal(decoded?.serviceAccountName, '')
})

t.test('podIP counts where podIPs is not set, and what is no address does not', async (t) => {
  const ips = (status: unknown) => decodePod({ ...pod, status })?.ips
  t.strictSame(ips({ podIP: '10.0.0.7' }), ['10.0.0.7'])
  t.strictSame(
    ips({ podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.8' }, { ip: 'x' }, null, { ip: '010.0.0.1' }] }),
    ['10.0.0.8'],
  )
  t.strictSame(ips({}), [])
})

t.test('an unknown phase is Unknown', async (t) => {
  const phase = (value: unknown) => decodePod({ ...pod, status: { phase: value } })?.phase
  t.strictSame(
    [phase('Failed'), phase('Resting'), phase(undefined), phase(['Running'])],
    ['Failed', 'Unknown', 'Unknown', 'Unknown'],
  )
})

t.test('the sandbox is gone only when the kubelet says so of a pod that ends', async (t) => {
  const gone = (status: object, metadata: object = {}) =>
    decodePod({ ...pod, metadata: { ...pod.metadata, ...metadata }, status })?.sandboxGone
  const conditions = [
    { type: 'Ready', status: 'False' },
    { type: 'PodReadyToStartContainers', status: 'False' },
  ]
  const deletionTimestamp = '2026-01-02T03:05:00Z'
  const ended = { state: { terminated: { exitCode: 0 } } }
  const waiting = { state: { waiting: { reason: 'ContainerCreating' } } }
  t.equal(gone({ phase: 'Pending', conditions }), false, 'not yet made')
  t.equal(gone({ phase: 'Pending', conditions, containerStatuses: [waiting] }), false, 'not yet made')
  t.equal(
    gone({ phase: 'Running', conditions, containerStatuses: [ended, waiting] }),
    false,
    'one still to come',
  )
  t.equal(gone({ phase: 'Running', conditions, containerStatuses: [ended, ended] }), true, 'all ended')
  t.equal(gone({ phase: 'Running', conditions }, { deletionTimestamp }), true, 'terminating')
  t.equal(gone({ phase: 'Running' }, { deletionTimestamp }), false, 'terminating, nothing said')
  t.equal(gone({ phase: 'Succeeded', conditions }), true, 'completed')
  t.equal(
    gone({ phase: 'Running', conditions: [{ ...conditions[1], status: 'True' }] }, { deletionTimestamp }),
    false,
  )
})

t.test('what a tenant writes into a pod is bounded', async (t) => {
  const sources = Array.from({ length: 1000 }, (_, i) => ({
    serviceAccountToken: { path: `t${i}`, audience: 'a' },
  }))
  const long = 'x'.repeat(20_000)
  const decoded = decodePod({
    metadata: { ...pod.metadata, annotations: { 'iam.amazonaws.com/role': long } },
    spec: {
      volumes: [
        {
          name: 'v',
          projected: { sources: [{ serviceAccountToken: { path: 'a', audience: long } }, ...sources] },
        },
      ],
    },
  })
  t.equal(decoded?.projectedTokens.length, 32)
  t.equal(decoded?.projectedTokens[0]?.path, 't0')
  t.strictSame(decoded?.annotations, { 'iam.amazonaws.com/role': `${'x'.repeat(1024)}…` })
})

t.test('a service account keeps only its identity annotations, whatever else is written on it', async (t) => {
  const metadata = { namespace: 'shop', name: 'cart', uid: 's-1', resourceVersion: '7' }
  const crowd = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`eks.amazonaws.com/a${i}`, 'x'.repeat(500)]),
  )
  const annotations = {
    ...crowd,
    'azure.workload.identity/client-id': 'x'.repeat(17_000),
    'eks.amazonaws.com/role-arn': 'arn',
    'iam.gke.io/gcp-service-account': 'cart@p.iam.gserviceaccount.com',
    'other.example/secret': 'no',
    'azure.workload.identity/tenant-id': 7,
  }
  t.strictSame(decodeServiceAccount({ metadata: { ...metadata, annotations } }), {
    ...metadata,
    annotations: {
      // Cut and marked, so that it is refused: left out, it would be taken for a ServiceAccount without.
      'azure.workload.identity/client-id': `${'x'.repeat(1024)}…`,
      'eks.amazonaws.com/role-arn': 'arn',
      'iam.gke.io/gcp-service-account': 'cart@p.iam.gserviceaccount.com',
    },
  })
  t.equal(decodeServiceAccount({ metadata: { ...metadata, uid: undefined } }), undefined)
})

t.test('a node keeps what metadata answers are made from', async (t) => {
  const node = {
    metadata: {
      name: 'n1',
      uid: 'n-1',
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { 'topology.kubernetes.io/zone': 'z' },
    },
    spec: { providerID: 'gce://p/z/n1' },
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.1.0.1' },
        { type: 'InternalIP', address: 'nonsense' },
        { type: 'ExternalIP', address: '1.2.3.4' },
        { type: 'Hostname', address: 'n1.internal' },
      ],
    },
  }
  t.strictSame(decodeNode(node), {
    name: 'n1',
    uid: 'n-1',
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    labels: { 'topology.kubernetes.io/zone': 'z' },
    providerId: 'gce://p/z/n1',
    internalIps: ['10.1.0.1'],
    hostname: 'n1.internal',
  })
})

t.test('no JSON value upsets a decoder', async (t) => {
  const any = fc.jsonValue({ maxDepth: 4 })
  const field = (...names: string[]) =>
    fc.record(Object.fromEntries(names.map((name) => [name, any])), { requiredKeys: [] })
  const metadata = fc.record(
    {
      namespace: fc.oneof(fc.constant('ns'), any),
      name: fc.oneof(fc.constant('name'), any),
      uid: fc.oneof(fc.constant('uid'), any),
      creationTimestamp: fc.oneof(fc.constant('2026-01-02T03:04:05Z'), any),
      annotations: any,
      labels: any,
      deletionTimestamp: any,
      resourceVersion: any,
    },
    { requiredKeys: ['namespace', 'name', 'uid', 'creationTimestamp'] },
  )
  const object = fc.record({
    metadata: fc.oneof({ weight: 5, arbitrary: metadata }, any),
    spec: fc.oneof(field('nodeName', 'serviceAccountName', 'hostNetwork', 'volumes', 'providerID'), any),
    status: fc.oneof(field('phase', 'podIP', 'podIPs', 'conditions', 'containerStatuses', 'addresses'), any),
  })
  let read = 0
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: object }, any), (raw) => {
      const decoded = decodePod(raw)
      decodeNode(raw)
      decodeServiceAccount(raw)
      if (decoded === undefined) return
      read += 1
      const strings = [
        decoded.namespace,
        decoded.name,
        decoded.uid,
        decoded.nodeName,
        decoded.serviceAccountName,
      ]
      if (!strings.every((value) => typeof value === 'string')) throw new Error('a field is no string')
      if (!decoded.ips.every((ip) => canonicalAddress(ip) === ip))
        throw new Error('an address is not canonical')
      if (new Set(decoded.ips).size !== decoded.ips.length) throw new Error('an address is there twice')
    }),
    { numRuns: 2000 },
  )
  t.ok(read > 20, `${read} were read`)
})

t.test('no JSON value upsets the reader of watch events', async (t) => {
  const line = fc.record({
    type: fc.oneof(
      fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'OTHER'),
      fc.jsonValue(),
    ),
    object: fc.jsonValue({ maxDepth: 4 }),
  })
  fc.assert(
    fc.property(fc.oneof(line, fc.jsonValue()), (value) => {
      parseWatchEvent(value)
    }),
    { numRuns: 1000 },
  )
  t.equal(parseWatchEvent({ type: 'OTHER', object: {} }), undefined)
  t.match(parseWatchEvent({ type: 'ERROR', object: null }), { type: 'ERROR', code: 500 })
})
