import t from 'tap'
import type { Clock } from '../../../src/lib/clock.ts'
import { startCluster } from './test-cluster.ts'

const names = (body: { items: { metadata: { name: string } }[] }) =>
  body.items.map((item) => item.metadata.name)

t.test('a lagging server lists, gets and starts watches from the past, then catches up', async (t) => {
  let now = 1_000_000
  const clock: Clock = { now: () => now, after: () => ({ cancel() {} }) }
  const { kubernetes, call, watch } = await startCluster(t, clock)
  kubernetes.createPod({ namespace: 'a', name: 'x', nodeName: 'n1', ips: ['10.0.0.1'] })
  now += 1000
  kubernetes.removePod('a', 'x')
  kubernetes.createPod({ namespace: 'a', name: 'y', nodeName: 'n1', ips: ['10.0.0.1'] })
  kubernetes.readLagMs = 500
  const selector = 'fieldSelector=spec.nodeName%3Dn1'
  const list = (await call(`/api/v1/pods?${selector}`)).body
  t.same(names(list), ['x'])
  t.match(await call('/api/v1/namespaces/a/pods/y'), { status: 404 })
  t.match(await call('/api/v1/namespaces/a/pods/x'), { status: 200 })
  const events = await watch(
    `/api/v1/pods?watch=1&${selector}&resourceVersion=${list.metadata.resourceVersion}`,
  )
  t.same(await events.names(2), ['DELETED x', 'ADDED y'])
  const initial = await watch('/api/v1/pods?watch=1')
  t.same(await initial.names(3), ['ADDED x', 'DELETED x', 'ADDED y'])
  now += 500
  t.same(names((await call('/api/v1/pods')).body), ['y'])
})

t.test('during an outage nothing is answered and open watches break', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  const events = await watch('/api/v1/pods?watch=1&resourceVersion=1')
  kubernetes.outage = true
  await t.rejects(events.next(), { code: /UND_ERR_SOCKET|ECONNRESET/ })
  await t.rejects(call('/api/v1/pods'), { code: /UND_ERR_SOCKET|ECONNRESET/ })
  kubernetes.createPod({ namespace: 'a', name: 'x' })
  kubernetes.outage = false
  t.same(names((await call('/api/v1/pods')).body), ['x'])
})

t.test('any call can be given another answer, and is counted by verb and resource', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  kubernetes.intercept = (name) =>
    name === 'watch pods'
      ? { status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } }
      : undefined
  t.match(await call('/api/v1/pods?watch=1'), { status: 410, body: { code: 410 } })
  t.match(await call('/api/v1/pods'), { status: 200 })
  await call('/api/v1/namespaces/a/pods/x')
  await call('/api/v1/namespaces/a/serviceaccounts/sa/token', { body: {} })
  t.same(
    [...kubernetes.calls.keys()],
    ['watch pods', 'list pods', 'get pods', 'create serviceaccounts/token'],
  )
})

t.test('the scenario is told of its own mistakes', async (t) => {
  const { kubernetes } = await startCluster(t)
  kubernetes.createPod({ namespace: 'a', name: 'x', serviceAccountName: '' })
  t.match(kubernetes.pod('a', 'x'), { ips: [], phase: 'Running', terminating: false, serviceAccountName: '' })
  t.equal(kubernetes.pod('a', 'none'), undefined)
  t.throws(() => kubernetes.createPod({ namespace: 'a', name: 'x' }), /exists/)
  t.throws(() => kubernetes.updatePod('a', 'none', {}), /no pod/)
  t.throws(() => kubernetes.deletePod('a', 'none'), /no pod/)
  await t.rejects(kubernetes.mintToken({ namespace: 'a', name: 'x' }, 'aud'), /does not exist/)
})

t.test('what is changed after it was handed in does not change the cluster', async (t) => {
  const { kubernetes, call } = await startCluster(t)
  const annotations = { note: 'before' }
  const ips = ['10.0.0.1']
  kubernetes.createPod({ namespace: 'a', name: 'x', annotations, ips })
  annotations.note = 'after'
  ips[0] = '10.0.0.2'
  t.match((await call('/api/v1/namespaces/a/pods/x')).body, {
    metadata: { annotations: { note: 'before' } },
    status: { podIPs: [{ ip: '10.0.0.1' }] },
  })
})
