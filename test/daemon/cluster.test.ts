import t, { type Test } from 'tap'
import { createCluster } from '../../src/daemon/cluster.ts'
import { staleness } from '../../src/daemon/staleness.ts'
import type { Reflector } from '../../src/kubernetes/reflector.ts'
import type { Node } from '../../src/kubernetes/types.ts'
import { silentLog } from '../../src/lib/log.ts'
import { sandboxClient } from '../kubernetes/sandbox-client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { until } from '../support/until.ts'

const EMAIL = { 'iam.gke.io/gcp-service-account': 'x@p.iam.gserviceaccount.com' }

async function clustered(t: Test, rights?: readonly string[]) {
  const { kubernetes, client, metrics } = await sandboxClient(t, rights)
  const nodes: Node[] = []
  const cluster = createCluster({
    client,
    nodeName: 'n1',
    nodeSeen: (node) => nodes.push(node),
    // Single reads have seconds, of which a machine that stands still must not take any.
    clock: new SteadyClock(),
    log: silentLog,
    metrics,
  })
  t.teardown(() => cluster.stop())
  const pod = (name: string, nodeName = 'n1') =>
    kubernetes.createPod({ namespace: 'ns', name, nodeName, serviceAccountName: name, ips: ['10.0.0.1'] })
  const synced = Promise.withResolvers<void>()
  return { kubernetes, cluster, metrics, nodes, pod, synced }
}

t.test('the pods of this node, the accounts that matter, and the node become known', async (t) => {
  const { kubernetes, cluster, metrics, nodes, pod, synced } = await clustered(t)
  kubernetes.applyNode('n1', {})
  kubernetes.applyServiceAccount('ns', 'annotated', EMAIL)
  kubernetes.applyServiceAccount('ns', 'unused', {})
  const uid = pod('here')
  pod('there', 'n2')
  t.equal(cluster.podsConfirmedAt(), 0)
  cluster.start(synced.resolve)
  await synced.promise
  t.same([...cluster.pods.keys()], ['ns/here'])
  t.equal(cluster.podByUid(uid)?.name, 'here')
  t.ok(cluster.serviceAccounts.entry('ns/annotated')?.current)
  t.equal(cluster.serviceAccounts.entry('ns/unused'), undefined)
  t.ok(cluster.podsConfirmedAt() > 0)
  t.equal(cluster.serviceAccountsSynced(), true)
  t.ok(cluster.checks.every((check) => check.reason() === undefined && check.warning?.() === undefined))
  await until(() => nodes.length > 0)
  t.equal(nodes[0]!.name, 'n1')
  cluster.report()
  const text = await metrics.registry.metrics()
  t.match(text, /metadatad_pods 1\n/)
  t.match(text, /metadatad_service_accounts 1\n/)
})

t.test('the account of a pod that is there at the start needs no question of its own', async (t) => {
  const { kubernetes, cluster, pod, synced } = await clustered(t)
  pod('a')
  cluster.pods.listen({
    podSeen: ({ namespace, serviceAccountName }) =>
      cluster.serviceAccounts.use(`${namespace}/${serviceAccountName}`),
    podGone() {},
  })
  cluster.start(synced.resolve)
  await synced.promise
  t.ok(cluster.serviceAccounts.entry('ns/a')?.current, 'although it has no annotation')
  t.equal(kubernetes.calls.get('get serviceaccounts'), undefined)
})

t.test('a live read sees what the watch does not show yet, of this node only', async (t) => {
  const { cluster, pod } = await clustered(t)
  const uid = pod('here')
  pod('there', 'n2')
  const read = await cluster.reader.readSince(cluster.reader.mark())
  t.same(
    read.pods.map(({ name }) => name),
    ['here'],
  )
  t.equal(cluster.pods.size, 0)
  t.equal(cluster.podByUid(uid)?.name, 'here')
  t.equal(cluster.podByUid('nobody'), undefined)
})

t.test('an account that is asked for is told from one that does not exist', async (t) => {
  const { kubernetes, cluster } = await clustered(t)
  kubernetes.applyServiceAccount('ns', 'a', EMAIL)
  await cluster.serviceAccounts.ask('ns/a')
  await cluster.serviceAccounts.ask('ns/b')
  t.same(cluster.serviceAccounts.entry('ns/a')?.current?.annotations, EMAIL)
  t.equal(cluster.serviceAccounts.entry('ns/b')?.current, undefined)
})

t.test('an API server that is down at the start is waited for, and the checks say so', async (t) => {
  const { kubernetes, cluster, pod, synced } = await clustered(t)
  kubernetes.outage = true
  cluster.start(synced.resolve)
  const pods = cluster.checks.find(({ name }) => name === 'pods')!
  await until(() => /list from the API server yet: /.test(pods.reason() ?? ''))
  await t.rejects(cluster.reader.readSince(cluster.reader.mark()), { code: 'CALLER_UNCONFIRMED' })
  await t.rejects(cluster.serviceAccounts.ask('ns/a'), { code: 'KUBERNETES_UNAVAILABLE' })
  kubernetes.outage = false
  pod('a')
  await synced.promise
  t.equal(cluster.pods.size, 1)
  t.equal(pods.reason(), undefined)
})

t.test('stopping ends what is under way, and what was waited for does not happen', async (t) => {
  const { kubernetes, cluster } = await clustered(t)
  kubernetes.intercept = () => 'hang'
  let synced = false
  cluster.start(() => {
    synced = true
  })
  const read = cluster.reader.readSince(cluster.reader.mark())
  const asked = cluster.serviceAccounts.ask('ns/a')
  const ended = Promise.all([
    t.rejects(read, { code: 'CALLER_UNCONFIRMED' }),
    t.rejects(asked, { code: 'KUBERNETES_UNAVAILABLE' }),
  ])
  await until(() => (kubernetes.calls.get('list pods') ?? 0) > 0)
  await cluster.stop()
  await ended
  t.equal(synced, false)
})

t.test('what was not heard of for two minutes is stale, whatever the reason', async (t) => {
  const clock = new FakeClock()
  const reflector = { synced: true, reachedAt: clock.now(), lastError: undefined } as Reflector
  await clock.advance(119_999)
  t.equal(staleness(reflector, clock), undefined)
  await clock.advance(1)
  t.match(staleness(reflector, clock), /nothing heard from the API server for 120 s/)
  t.match(staleness({ ...reflector, synced: false }, clock), /no complete list/)
})

const GET_ONLY = ['list pods', 'watch pods', 'list nodes', 'watch nodes', 'get serviceaccounts']

t.test('accounts that may not be watched are read one by one, for as long as pods use them', async (t) => {
  const { kubernetes, cluster, pod, synced } = await clustered(t, GET_ONLY)
  kubernetes.applyServiceAccount('ns', 'a', EMAIL)
  kubernetes.applyServiceAccount('ns', 'b', EMAIL)
  kubernetes.applyServiceAccount('ns', 'unused', EMAIL)
  pod('a')
  pod('b')
  cluster.start(synced.resolve)
  await synced.promise
  const known = (name: string) => cluster.serviceAccounts.entry(`ns/${name}`)?.current?.annotations
  t.same([known('a'), known('b'), known('unused')], [EMAIL, EMAIL, undefined])
  t.ok(cluster.checks.every((check) => check.reason() === undefined))
  const warnings = () => cluster.checks.flatMap((check) => (check.warning?.() ? [check.name] : []))
  t.same(warnings(), ['no right to watch serviceaccounts'])

  const other = { 'iam.gke.io/gcp-service-account': 'y@p.iam.gserviceaccount.com' }
  kubernetes.applyServiceAccount('ns', 'a', other)
  kubernetes.removePod('ns', 'b')
  await until(() => known('a')?.['iam.gke.io/gcp-service-account']?.startsWith('y@') === true)
  await until(() => known('b') === undefined)
})

t.test('an account that may not even be read is unknown, and the daemon not ready', async (t) => {
  const { kubernetes, cluster, pod } = await clustered(t, GET_ONLY.slice(0, 4))
  kubernetes.applyServiceAccount('ns', 'a', EMAIL)
  pod('a')
  cluster.start(() => t.fail('nothing is known'))
  const accounts = cluster.checks.find(({ name }) => name === 'service accounts')!
  await until(() => /watch serviceaccounts: 403/.test(accounts.reason() ?? ''))
  await t.rejects(cluster.serviceAccounts.ask('ns/a'), { code: 'KUBERNETES_FORBIDDEN' })
  t.equal(cluster.serviceAccounts.entry('ns/a')?.current, undefined)
})
