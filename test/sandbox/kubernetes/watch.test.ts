import t from 'tap'
import { startCluster } from './test-cluster.ts'

const STREAM = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'

t.test('a watch from a list goes on where the list ended', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'old' })
  const version = (await call('/api/v1/pods')).body.metadata.resourceVersion
  kubernetes.createPod({ namespace: 'a', name: 'missed' })
  const events = await watch(`/api/v1/pods?watch=1&resourceVersion=${version}`)
  kubernetes.updatePod('a', 'old', { ips: ['10.0.0.1'] })
  kubernetes.deletePod('a', 'old')
  kubernetes.removePod('a', 'old')
  t.same(await events.names(4), ['ADDED missed', 'MODIFIED old', 'MODIFIED old', 'DELETED old'])
})

t.test('every event carries the object as it was then, under a version that only grows', async (t) => {
  const { kubernetes, watch } = await startCluster(t)
  const events = await watch('/api/v1/pods?watch=1&resourceVersion=1')
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  kubernetes.updatePod('a', 'x', { ips: ['10.0.0.1'], sandboxReady: true })
  kubernetes.updatePod('a', 'x', { phase: 'Succeeded', sandboxReady: false })
  kubernetes.deletePod('a', 'x')
  kubernetes.removePod('a', 'x')
  const seen = []
  for (let i = 0; i < 5; i++) seen.push(await events.next())
  t.match(seen, [
    { type: 'ADDED', object: { kind: 'Pod', status: { phase: 'Running' } } },
    { type: 'MODIFIED', object: { status: { podIP: '10.0.0.1' } } },
    { type: 'MODIFIED', object: { status: { phase: 'Succeeded', podIP: '10.0.0.1' } } },
    { type: 'MODIFIED', object: { metadata: { deletionTimestamp: /Z$/ } } },
    { type: 'DELETED', object: { metadata: { deletionTimestamp: /Z$/ } } },
  ])
  t.match(seen[2].object.status.conditions[1], { type: 'PodReadyToStartContainers', status: 'False' })
  const versions = seen.map(({ object }) => Number(object.metadata.resourceVersion))
  t.same(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
  )
})

t.test('without a version, or with 0, a watch begins with what there is', async (t) => {
  const { kubernetes, watch } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  kubernetes.createPod({ namespace: 'b', name: 'y' })
  for (const query of ['watch=1', 'watch=true&resourceVersion=0']) {
    t.same(await (await watch(`/api/v1/pods?${query}`)).names(2), ['ADDED x', 'ADDED y'])
  }
  t.same(await (await watch('/api/v1/namespaces/b/pods?watch=1')).names(1), ['ADDED y'])
})

t.test('an object that leaves or enters a field selector is deleted or added', async (t) => {
  const { kubernetes, watch } = await startCluster(t)
  const events = await watch('/api/v1/pods?watch=1&resourceVersion=1&fieldSelector=status.phase%3DRunning')
  kubernetes.createPod({ namespace: 'a', name: 'x', phase: 'Pending' })
  kubernetes.updatePod('a', 'x', { phase: 'Running' })
  kubernetes.updatePod('a', 'x', { phase: 'Succeeded' })
  kubernetes.removePod('a', 'x')
  kubernetes.createPod({ namespace: 'a', name: 'y' })
  const added = await events.next()
  t.match(added, { type: 'ADDED', object: { metadata: { name: 'x' } } })
  const deleted = await events.next()
  t.match(deleted, { type: 'DELETED', object: { status: { phase: 'Running' } } }, 'the last selected state')
  t.ok(Number(deleted.object.metadata.resourceVersion) > Number(added.object.metadata.resourceVersion))
  t.same(await events.names(1), ['ADDED y'])
})

t.test('a streaming list sends the initial events and the bookmark that ends them', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  const events = await watch(`/api/v1/pods?${STREAM}&resourceVersion=`)
  t.same(await events.names(1), ['ADDED x'])
  const version = (await call('/api/v1/pods')).body.metadata.resourceVersion
  t.match(await events.next(), {
    type: 'BOOKMARK',
    object: {
      kind: 'Pod',
      metadata: { resourceVersion: version, annotations: { 'k8s.io/initial-events-end': 'true' } },
      spec: { containers: null },
    },
  })
  kubernetes.createPod({ namespace: 'a', name: 'y' })
  t.same(await events.names(1), ['ADDED y'])
})

t.test('a streaming list of an empty resource is the bookmark alone', async (t) => {
  const { watch } = await startCluster(t)
  t.same(await (await watch(`/api/v1/nodes?${STREAM}`)).names(1), ['BOOKMARK'])
})

t.test('streaming lists are refused in wrong combinations, and by an old server', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  const refused = {
    status: 422,
    body: { kind: 'Status', reason: 'Invalid', details: { group: 'meta.k8s.io', kind: 'ListOptions' } },
  }
  t.match(await call('/api/v1/pods?watch=1&sendInitialEvents=true'), refused)
  t.match(await call('/api/v1/pods?watch=1&resourceVersionMatch=NotOlderThan'), refused)
  t.match(await call('/api/v1/pods?sendInitialEvents=true'), refused)
  t.match(await call(`/api/v1/pods?${STREAM}&resourceVersion=999999`), { status: 504 })
  kubernetes.streamingLists = false
  t.match(await call(`/api/v1/pods?${STREAM}`), refused)
})

t.test('metadata-only watches show nothing but metadata, bookmarks included', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  kubernetes.applyServiceAccount('a', 'sa')
  const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
  const events = await watch(`/api/v1/serviceaccounts?${STREAM}`, { accept })
  const kind = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }
  t.match(await events.next(), { type: 'ADDED', object: { ...kind, metadata: { name: 'sa' } } })
  t.match(await events.next(), { type: 'BOOKMARK', object: kind })
  const list = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
  t.match(await call('/api/v1/serviceaccounts?watch=1', { accept: list }), { status: 406 })
})

t.test('bookmarks come to those who want them, with the version of everything', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  const version = (await call('/api/v1/pods')).body.metadata.resourceVersion
  const deaf = await watch(`/api/v1/pods?watch=1&resourceVersion=${version}`)
  const events = await watch(`/api/v1/pods?watch=1&resourceVersion=${version}&allowWatchBookmarks=true`)
  kubernetes.applyNode('n1')
  kubernetes.bookmarkIntervalMs = 1
  const bookmark = await events.next()
  t.match(bookmark, { type: 'BOOKMARK', object: { kind: 'Pod' } })
  t.ok(Number(bookmark.object.metadata.resourceVersion) > Number(version), 'changes of other resources count')
  await events.next()
  kubernetes.dropWatches('close')
  t.equal(await deaf.next(), undefined)
})

t.test('a watch ends after its timeoutSeconds', async (t) => {
  const { watch } = await startCluster(t)
  const events = await watch('/api/v1/pods?watch=1&resourceVersion=1&timeoutSeconds=1&allowWatchBookmarks=1')
  t.same(await events.names(2), ['BOOKMARK', 'END'])
})

t.test('a watch from a forgotten version gets an error event with a 410, and so do open ones', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  const old = (await call('/api/v1/pods')).body.metadata.resourceVersion
  const open = await watch(`/api/v1/pods?watch=1&resourceVersion=${old}`)
  kubernetes.createPod({ namespace: 'a', name: 'y' })
  t.same(await open.names(1), ['ADDED y'])
  kubernetes.compact()
  const gone = { type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } }
  t.match(await open.next(), gone)
  t.equal(await open.next(), undefined)
  const late = await watch(`/api/v1/pods?watch=1&resourceVersion=${old}`)
  t.match(await late.next(), gone)
  t.equal(await late.next(), undefined)
  const now = (await call('/api/v1/pods')).body.metadata.resourceVersion
  const fresh = await watch(`/api/v1/pods?watch=1&resourceVersion=${now}`)
  kubernetes.createPod({ namespace: 'a', name: 'z' })
  t.same(await fresh.names(1), ['ADDED z'])
})

t.test('dropped watches end, or break', async (t) => {
  const { kubernetes, watch } = await startCluster(t)
  const closed = await watch('/api/v1/pods?watch=1&resourceVersion=1')
  kubernetes.dropWatches('close')
  t.equal(await closed.next(), undefined)
  const broken = await watch('/api/v1/pods?watch=1&resourceVersion=1')
  kubernetes.dropWatches('reset')
  await t.rejects(broken.next(), { code: /UND_ERR_SOCKET|ECONNRESET/ })
})

t.test('frozen watches deliver nothing, and later all in order', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  const events = await watch('/api/v1/pods?watch=1&resourceVersion=1&allowWatchBookmarks=1')
  kubernetes.freezeWatches = true
  kubernetes.bookmarkIntervalMs = 1
  kubernetes.createPod({ namespace: 'b', name: 'x' })
  kubernetes.createPod({ namespace: 'a', name: 'y' })
  kubernetes.removePod('b', 'x')
  const opened = await watch(`/api/v1/pods?${STREAM}`)
  await call('/api/v1/pods')
  kubernetes.bookmarkIntervalMs = 60_000
  kubernetes.freezeWatches = false
  t.same(await events.names(3), ['ADDED x', 'ADDED y', 'DELETED x'])
  t.same(await opened.names(2), ['ADDED y', 'BOOKMARK'])
})

t.test('watch events wait as long as told, reordered only between objects', async (t) => {
  const { kubernetes, watch } = await startCluster(t)
  const events = await watch('/api/v1/pods?watch=1&resourceVersion=1')
  kubernetes.watchDelayMs = ({ type, resource, key }) => {
    t.equal(resource, 'pods')
    return key === 'a/slow' && type === 'ADDED' ? 30 : 0
  }
  kubernetes.createPod({ namespace: 'a', name: 'slow' })
  kubernetes.createPod({ namespace: 'a', name: 'fast' })
  kubernetes.removePod('a', 'slow')
  t.same(await events.names(3), ['ADDED fast', 'ADDED slow', 'DELETED slow'])
})
