import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { decodePod } from '../../src/kubernetes/decode-pod.ts'
import { decodeServiceAccount } from '../../src/kubernetes/decode-service-account.ts'
import { createReflector } from '../../src/kubernetes/reflector.ts'
import type { Pod, ServiceAccount } from '../../src/kubernetes/types.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { answer, type Handler, startApiServer } from './api-server.ts'
import { sandboxClient } from './sandbox-client.ts'
import { TestStore } from './test-store.ts'

const never = new AbortController().signal
const PODS = { resource: 'pods', path: '/api/v1/pods', decode: decodePod } as const
// Backoff from 10 ms on; the tests look at what happens, not when.
const QUICK = { clock: systemClock, log: silentLog, random: () => 0.02 }

async function onSandbox(
  t: Test,
  options: { fieldSelector?: string; stallAfterMs?: number; log?: Log } = {},
) {
  const made = await sandboxClient(t)
  const store = new TestStore<Pod>()
  const reflector = createReflector({
    ...PODS,
    ...QUICK,
    ...options,
    client: made.client,
    metrics: made.metrics,
    store,
  })
  t.teardown(() => reflector.stop())
  const pod = (name: string, nodeName = 'n1') => made.kubernetes.createPod({ namespace: 'a', name, nodeName })
  return { ...made, store, reflector, pod }
}

async function restarts(metrics: ReturnType<typeof createMetrics>): Promise<unknown> {
  const { values } = await metrics.watchRestarts.get()
  return Object.fromEntries(values.map(({ labels, value }) => [labels.reason, value]))
}

for (const streamingLists of [true, false]) {
  const how = streamingLists ? 'a streaming list' : 'pages'

  t.test(`with ${how}, the store follows what is created, changed and removed on the node`, async (t) => {
    const { kubernetes, store, reflector, pod } = await onSandbox(t, { fieldSelector: 'spec.nodeName=n1' })
    kubernetes.streamingLists = streamingLists
    kubernetes.maxPageSize = 2
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) pod(name)
    pod('elsewhere', 'n2')
    t.equal(reflector.synced, false)
    t.equal(reflector.confirmedAt, 0)
    const before = Date.now()
    reflector.start()
    await reflector.whenSynced(never)
    t.ok(reflector.confirmedAt >= before)
    t.strictSame([...store.objects.keys()].sort(), ['a/p1', 'a/p2', 'a/p3', 'a/p4', 'a/p5'])
    kubernetes.updatePod('a', 'p1', { ips: ['10.0.0.1'] })
    pod('p6')
    pod('elsewhere-too', 'n2')
    kubernetes.removePod('a', 'p2')
    await store.until((pods) => pods.size === 5 && pods.has('a/p6') && !pods.has('a/p2'))
    t.strictSame(store.objects.get('a/p1')?.ips, ['10.0.0.1'])
    t.equal(kubernetes.calls.get('list pods') ?? 0, streamingLists ? 0 : 3)
  })

  t.test(`with ${how}, an expired watch is listed again and what was missed is removed`, async (t) => {
    const { kubernetes, store, reflector, pod, metrics } = await onSandbox(t)
    kubernetes.streamingLists = streamingLists
    for (const name of ['p1', 'p2', 'p3']) pod(name)
    reflector.start()
    await reflector.whenSynced(never)
    kubernetes.outage = true
    kubernetes.removePod('a', 'p2')
    kubernetes.removePod('a', 'p3')
    pod('p3')
    const uid = kubernetes.pod('a', 'p3')?.uid
    kubernetes.compact()
    t.ok(store.objects.has('a/p2'), 'kept while nothing is known')
    kubernetes.outage = false
    await store.until((pods) => !pods.has('a/p2') && pods.get('a/p3')?.uid === uid)
    t.strictSame([...store.objects.keys()].sort(), ['a/p1', 'a/p3'])
    t.match(await restarts(metrics), { expired: 1 })
  })
}

t.test('the choice for pages is remembered', async (t) => {
  const { kubernetes, store, reflector, pod } = await onSandbox(t)
  kubernetes.streamingLists = false
  reflector.start()
  await reflector.whenSynced(never)
  pod('p1')
  await store.until((pods) => pods.size === 1)
  kubernetes.streamingLists = true
  kubernetes.compact()
  pod('p2')
  await store.until((pods) => pods.size === 2)
  t.equal(kubernetes.calls.get('list pods'), 2)
})

t.test('watches that end or break go on where they were', async (t) => {
  const { kubernetes, store, reflector, pod, metrics } = await onSandbox(t)
  reflector.start()
  await reflector.whenSynced(never)
  for (const [index, how] of (['close', 'reset', 'close', 'reset'] as const).entries()) {
    kubernetes.dropWatches(how)
    pod(`p${index}`)
    await store.until((pods) => pods.size === index + 1)
  }
  t.strictSame(store.history, ['+a/p0', '+a/p1', '+a/p2', '+a/p3'], 'nothing is listed twice')
  t.match(await restarts(metrics), { closed: 2, error: 2 })
})

t.test('a watch on which nothing is heard is given up', async (t) => {
  const failed = Promise.withResolvers<unknown>()
  const log: Log = { ...silentLog, warn: ({ err }) => failed.resolve(err) }
  const { kubernetes, store, reflector, pod } = await onSandbox(t, { stallAfterMs: 100, log })
  kubernetes.bookmarkIntervalMs = 20
  reflector.start()
  await reflector.whenSynced(never)
  kubernetes.freezeWatches = true
  pod('p1')
  t.match(await failed.promise, { code: 'KUBERNETES_UNAVAILABLE', providerCode: 'stalled' })
  kubernetes.freezeWatches = false
  await store.until((pods) => pods.has('a/p1'))
})

t.test('bookmarks confirm what is known', async (t) => {
  const { kubernetes, reflector } = await onSandbox(t)
  kubernetes.bookmarkIntervalMs = 10
  reflector.start()
  await reflector.whenSynced(never)
  const first = reflector.confirmedAt
  while (reflector.confirmedAt <= first) {
    // Of another kind: the bookmarks' version goes on with it.
    kubernetes.applyNode('node-9', { labels: { at: String(Date.now()) } })
    await setTimeout(10)
  }
  t.pass('a bookmark came')
})

t.test('an outage at the start is waited out, and says why', async (t) => {
  const { kubernetes, reflector, pod, store, metrics } = await onSandbox(t)
  kubernetes.outage = true
  pod('p1')
  reflector.start()
  await t.rejects(reflector.whenSynced(AbortSignal.timeout(100)), { code: 'KUBERNETES_UNAVAILABLE' })
  t.equal(reflector.synced, false)
  kubernetes.outage = false
  await reflector.whenSynced(never)
  t.ok(store.objects.has('a/p1'))
  t.equal(reflector.lastError, undefined)
  reflector.reportStaleness()
  t.match((await metrics.watchStaleness.get()).values, [{ labels: { resource: 'pods' } }])
})

t.test('a missing right is told, and noticed when it is granted', async (t) => {
  const { client, kubernetes, metrics } = await sandboxClient(t, ['get pods'])
  const store = new TestStore<Pod>()
  const reflector = createReflector({ ...PODS, ...QUICK, client, metrics, store })
  t.teardown(() => reflector.stop())
  reflector.start()
  while (reflector.lastError === undefined) await setTimeout(5)
  await t.rejects(reflector.whenSynced(AbortSignal.abort()), {
    code: 'KUBERNETES_FORBIDDEN',
    message: /watch pods/,
  })
  t.ok((kubernetes.calls.get('watch pods') ?? 0) > 0)
})

t.test('metadata is enough for service accounts', async (t) => {
  const { client, kubernetes, metrics } = await sandboxClient(t)
  for (const streamingLists of [true, false]) {
    kubernetes.streamingLists = streamingLists
    const annotations = { 'iam.gke.io/gcp-service-account': 'x@p.iam.gserviceaccount.com', note: 'no' }
    kubernetes.applyServiceAccount('a', 'cart', annotations)
    const store = new TestStore<ServiceAccount>()
    const reflector = createReflector({
      ...QUICK,
      resource: 'serviceaccounts',
      path: '/api/v1/serviceaccounts',
      metadataOnly: true,
      decode: decodeServiceAccount,
      client,
      metrics,
      store,
    })
    reflector.start()
    await reflector.whenSynced(never)
    t.strictSame(store.objects.get('a/cart')?.annotations, {
      'iam.gke.io/gcp-service-account': 'x@p.iam.gserviceaccount.com',
    })
    kubernetes.applyServiceAccount('a', 'cart', {})
    await store.until((accounts) => Object.keys(accounts.get('a/cart')!.annotations).length === 0)
    await reflector.stop()
  }
})

t.test('stopping ends waiting, watching and the calls of the store', async (t) => {
  const { kubernetes, store, reflector, pod } = await onSandbox(t)
  reflector.start()
  await reflector.whenSynced(never)
  await reflector.stop()
  pod('late')
  t.equal(store.objects.size, 0)
  await reflector.whenSynced(never)
  const other = createReflector({ ...PODS, ...QUICK, client: {} as never, metrics: createMetrics(), store })
  const waiting = other.whenSynced(never)
  await other.stop()
  await t.rejects(waiting, { code: 'KUBERNETES_UNAVAILABLE' })
  t.ok(kubernetes)
})

// What the sandbox does not do: servers that answer line by line as told.

const object = (name: string, resourceVersion: string) => ({
  metadata: {
    namespace: 'a',
    name,
    uid: `uid-${name}`,
    resourceVersion,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {},
})
const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`
const end = (resourceVersion: string) =>
  line('BOOKMARK', { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } })

async function onScript(t: Test, handler: Handler, options: { stallAfterMs?: number; log?: Log } = {}) {
  const server = await startApiServer(handler)
  const metrics = createMetrics()
  const client = createKubernetesClient(server.connection, { clock: systemClock, log: silentLog, metrics })
  const store = new TestStore<Pod>()
  const reflector = createReflector({ ...PODS, ...QUICK, ...options, client, metrics, store })
  t.teardown(async () => {
    await reflector.stop()
    await client.close()
    await server.close()
  })
  return { store, reflector, metrics }
}

const query = (url: string | undefined) => new URL(url ?? '', 'https://x').searchParams

t.test('a server that takes a streaming list for a plain watch is asked for pages', async (t) => {
  for (const bookmark of [line('BOOKMARK', { metadata: { resourceVersion: '5' } }), '']) {
    const { store, reflector } = await onScript(
      t,
      (request, response) => {
        if (!query(request.url).has('watch'))
          answer(response, 200, { metadata: { resourceVersion: '7' }, items: [object('p1', '6')] })
        else if (query(request.url).has('sendInitialEvents'))
          response.write(line('ADDED', object('old', '3')) + bookmark)
        else response.write(line('ADDED', object('p2', '8')))
      },
      { stallAfterMs: 200 },
    )
    reflector.start()
    await store.until((pods) => pods.has('a/p2'))
    t.strictSame([...store.objects.keys()], ['a/p1', 'a/p2'])
  }
})

t.test(
  'a list that expires between two pages is begun again, and removes nothing before it is complete',
  async (t) => {
    const asked: string[] = []
    const { store, reflector } = await onScript(t, (request, response) => {
      const parameters = query(request.url)
      if (parameters.has('sendInitialEvents'))
        return answer(response, 422, { message: 'sendInitialEvents is forbidden' })
      if (parameters.has('watch')) return void response.write(line('ADDED', object('watched', '12')))
      asked.push(parameters.get('continue') ?? 'first')
      if (asked.length === 2)
        return answer(response, 410, { reason: 'Expired', message: 'continue token is too old' })
      if (asked.length === 1)
        return answer(response, 200, {
          metadata: { resourceVersion: '7', continue: 'c7' },
          items: [object('p1', '6')],
        })
      if (asked.length === 3)
        return answer(response, 200, {
          metadata: { resourceVersion: '9', continue: 'c9' },
          items: [object('p2', '8')],
        })
      return answer(response, 200, { metadata: { resourceVersion: '9' }, items: [object('p3', '8')] })
    })
    store.upsert(decodePod(object('stale', '1'))!)
    reflector.start()
    await store.until((pods) => pods.has('a/watched'))
    t.strictSame(asked, ['first', 'c7', 'first', 'c9'])
    t.strictSame(store.history, ['+a/stale', '+a/p1', '+a/p2', '+a/p3', '-a/stale', '-a/p1', '+a/watched'])
  },
)

t.test('an answer that is no list does not empty the store', async (t) => {
  let lists = 0
  const { store, reflector } = await onScript(t, (request, response) => {
    if (query(request.url).has('watch')) return answer(response, 400, {})
    lists += 1
    if (lists === 1) return answer(response, 200, {})
    if (lists === 2) return answer(response, 200, { metadata: { resourceVersion: '2' }, items: {} })
    return answer(response, 200, { metadata: { resourceVersion: '3' }, items: null })
  })
  store.upsert(decodePod(object('p1', '1'))!)
  reflector.start()
  await reflector.whenSynced(never)
  t.equal(lists, 3)
  t.equal(store.objects.size, 0)
})

t.test('an object that can not be read takes the place of nothing', async (t) => {
  const { store, reflector, metrics } = await onScript(t, (_, response) => {
    const broken = { metadata: { namespace: 'a', name: 'p1', resourceVersion: '9' } }
    response.write(
      line('ADDED', object('p1', '3')) +
        line('ADDED', object('p2', '4')) +
        end('5') +
        line('MODIFIED', broken),
    )
  })
  reflector.start()
  await store.until((pods) => pods.size === 1)
  await store.until((pods) => !pods.has('a/p1'))
  t.match((await metrics.watchUndecodable.get()).values, [{ labels: { resource: 'pods' }, value: 1 }])
})

t.test(
  'error events: 410 and unknown codes list again, a server error goes on from the same version',
  async (t) => {
    const asked: string[] = []
    const errors = [410, 500, 422]
    const { store, reflector } = await onScript(t, (request, response) => {
      const version = query(request.url).get('resourceVersion')
      asked.push(version ?? 'list')
      const code = errors.shift()
      const error =
        code === undefined ? line('ADDED', object('last', '20')) : line('ERROR', { kind: 'Status', code })
      response.write((version === null ? end('5') : '') + error)
    })
    reflector.start()
    await store.until((pods) => pods.has('a/last'))
    t.strictSame(asked, ['list', 'list', '5', 'list'])
  },
)

t.test('a line that can never be read is got past by listing', async (t) => {
  let watches = 0
  const { store, reflector } = await onScript(t, (_, response) => {
    watches += 1
    response.write(end('5') + (watches === 1 ? 'nonsense\n' : line('ADDED', object('p1', '6'))))
  })
  reflector.start()
  await store.until((pods) => pods.has('a/p1'))
  t.equal(watches, 2)
})

t.test('versions that go back mean that everything must be listed again', async (t) => {
  const asked: boolean[] = []
  const { store, reflector } = await onScript(t, (request, response) => {
    const listing = query(request.url).has('sendInitialEvents')
    asked.push(listing)
    if (asked.length === 1)
      response.write(
        line('ADDED', object('undone', '90')) +
          end('100') +
          line('BOOKMARK', { metadata: { resourceVersion: '7' } }),
      )
    else response.write(line('ADDED', object('p1', '6')) + end('7'))
  })
  reflector.start()
  await store.until((pods) => pods.has('a/p1') && !pods.has('a/undone'))
  t.strictSame(asked, [true, true])
})

t.test(
  'a bookmark that says nothing new confirms nothing, and the server is in reach if it can read its store',
  async (t) => {
    let watching: ServerResponse | undefined
    const reads = new EventEmitter()
    const failed = Promise.withResolvers<void>()
    const debug: Log['debug'] = (_, message) => {
      if (message === 'bookmark not confirmed') failed.resolve()
    }
    const { reflector } = await onScript(
      t,
      (request, response) => {
        if (!query(request.url).has('watch')) return void reads.emit('read', request, response)
        watching = response
        response.write(end('5'))
      },
      { log: { ...silentLog, debug } },
    )
    const bookmark = (resourceVersion: string) =>
      watching!.write(line('BOOKMARK', { metadata: { resourceVersion } }))
    const nextRead = async () => {
      const [request, response] = await once(reads, 'read')
      t.equal(query(request.url).get('limit'), '1')
      t.notOk(query(request.url).has('resourceVersion'), 'no old cache may answer')
      return response as ServerResponse
    }
    reflector.start()
    await reflector.whenSynced(never)
    const listedAt = reflector.confirmedAt
    while (Date.now() <= listedAt) await setTimeout(1)

    for (const status of [503, 200]) {
      bookmark('5')
      const response = await nextRead()
      t.equal(reflector.reachedAt, listedAt, 'as an API server says that has lost its etcd')
      answer(response, status, { metadata: { resourceVersion: '9' }, items: [] })
      // The failure has to arrive before the next bookmark, which asks nothing while a read is under way.
      if (status === 503) await failed.promise
    }
    while (reflector.reachedAt <= listedAt) await setTimeout(5)
    t.equal(reflector.confirmedAt, listedAt)
    const readAt = reflector.reachedAt
    reads.on('read', () => t.fail('a bookmark with a new version needs no read'))
    while (Date.now() <= readAt) await setTimeout(1)
    bookmark('6')
    while (reflector.confirmedAt <= readAt) await setTimeout(5)
  },
)

t.test('a server with nothing to say is not out of reach, as long as it can read its store', async (t) => {
  let status = 503
  const reads = new EventEmitter()
  const { reflector } = await onScript(
    t,
    (request, response) => {
      const parameters = query(request.url)
      if (parameters.has('sendInitialEvents')) response.write(end('5'))
      else if (parameters.has('watch')) response.writeHead(200).flushHeaders()
      else {
        answer(response, status, { metadata: { resourceVersion: '5' }, items: [] })
        reads.emit('read')
      }
    },
    { stallAfterMs: 100 },
  )
  reflector.start()
  await reflector.whenSynced(never)
  const { confirmedAt } = reflector
  await once(reads, 'read')
  await once(reads, 'read')
  t.equal(reflector.reachedAt, confirmedAt)
  status = 200
  while (reflector.reachedAt === confirmedAt) await setTimeout(5)
  t.equal(reflector.confirmedAt, confirmedAt, 'which does not say that nothing has changed')
})

t.test('where the right to lists is missing, bookmarks say that the server is in reach', async (t) => {
  let watching: ServerResponse | undefined
  const denied = { reason: 'Forbidden', message: 'pods is forbidden: User "x" cannot list resource "pods"' }
  const { reflector } = await onScript(t, (request, response) => {
    if (!query(request.url).has('watch')) return answer(response, 403, denied)
    watching = response
    response.write(end('5'))
  })
  reflector.start()
  await reflector.whenSynced(never)
  const { confirmedAt } = reflector
  while (Date.now() <= confirmedAt) await setTimeout(1)
  watching!.write(line('BOOKMARK', { metadata: { resourceVersion: '5' } }))
  while (reflector.reachedAt === confirmedAt) await setTimeout(5)
  t.equal(reflector.confirmedAt, confirmedAt)
})

t.test('a watch sets a time after which the server ends it, and asks for bookmarks', async (t) => {
  const urls: URLSearchParams[] = []
  const { reflector } = await onScript(t, (request, response) => {
    urls.push(query(request.url))
    response.write(end('5'))
  })
  reflector.start()
  await reflector.whenSynced(never)
  t.strictSame(Object.fromEntries(urls[0]!), {
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: '306',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
  })
})
