import t from 'tap'
import { startCluster } from './test-cluster.ts'

t.test('carries a big cluster, and a long history of short lives, watched', async (t) => {
  const { kubernetes, call, watch } = await startCluster(t)
  for (let i = 0; i < 10_000; i++) kubernetes.applyServiceAccount(`ns-${i % 100}`, `sa-${i}`)
  for (let i = 0; i < 5_000; i++) {
    const serviceAccountName = `sa-${i}`
    kubernetes.createPod({
      namespace: `ns-${i % 100}`,
      name: `p-${i}`,
      serviceAccountName,
      nodeName: `n-${i % 50}`,
    })
  }
  let count = 0
  let token = ''
  do {
    const { body } = await call(`/api/v1/serviceaccounts?limit=500&continue=${token}`, {
      accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
    })
    count += body.items.length
    token = body.metadata.continue ?? ''
  } while (token !== '')
  t.equal(count, 10_000)
  const selector = 'fieldSelector=spec.nodeName%3Dn-7'
  const list = (await call(`/api/v1/pods?${selector}`)).body
  t.equal(list.items.length, 100)

  const events = await watch(
    `/api/v1/pods?watch=1&${selector}&resourceVersion=${list.metadata.resourceVersion}`,
  )
  const LIVES = 100_000
  const watched = (async () => {
    let open = 0
    for (let seen = 0; seen < (LIVES / 50) * 3; seen++) {
      const event = await events.next()
      open += event.type === 'ADDED' ? 1 : event.type === 'DELETED' ? -1 : 0
    }
    return open
  })()
  for (let i = 0; i < LIVES; i++) {
    const nodeName = `n-${i % 50}`
    kubernetes.createPod({ namespace: 'churn', name: `c-${i}`, nodeName, phase: 'Pending' })
    kubernetes.updatePod('churn', `c-${i}`, { ips: ['10.0.0.1'], phase: 'Running' })
    kubernetes.removePod('churn', `c-${i}`)
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(await watched, 0, 'as many came as went')
  t.equal((await call(`/api/v1/pods?${selector}`)).body.items.length, 100)
})
