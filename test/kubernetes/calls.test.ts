import { join } from 'node:path'
import { decodeJwt } from 'jose'
import t from 'tap'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { listNodePods } from '../../src/kubernetes/list-node-pods.ts'
import { loadConnection } from '../../src/kubernetes/load-connection.ts'
import { readServiceAccount } from '../../src/kubernetes/read-service-account.ts'
import { createToken } from '../../src/kubernetes/token-request.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { answer, startApiServer } from './api-server.ts'
import { sandboxClient } from './sandbox-client.ts'

const signal = new AbortController().signal

t.test('a kubeconfig of the cluster leads to it', async (t) => {
  const { kubernetes } = await sandboxClient(t)
  const path = join(
    t.testdir({ config: kubernetes.kubeconfig('operator', ['get serviceaccounts']) }),
    'config',
  )
  const connection = await loadConnection({ kubeconfig: path, env: {}, clock: systemClock })
  const client = createKubernetesClient(connection, {
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  })
  t.teardown(() => client.close())
  const uid = kubernetes.applyServiceAccount('a', 'cart', { 'eks.amazonaws.com/role-arn': 'arn', other: 'x' })
  t.match(await readServiceAccount(client, 'a', 'cart', signal), {
    uid,
    annotations: { 'eks.amazonaws.com/role-arn': 'arn' },
  })
  t.equal(await readServiceAccount(client, 'a', 'nobody', signal), undefined)
  await t.rejects(listNodePods(client, 'n1', systemClock, signal), { code: 'KUBERNETES_FORBIDDEN' })
})

t.test('a token is for the audience and bound to the pod', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  const uid = kubernetes.createPod({
    namespace: 'a',
    name: 'cart-0',
    serviceAccountName: 'cart',
    nodeName: 'n1',
  })
  const request = {
    namespace: 'a',
    serviceAccount: 'cart',
    audience: 'aud',
    expirationSeconds: 900,
    pod: { name: 'cart-0', uid },
  }
  const { token, expiresAt } = await createToken(client, request, signal)
  const claims = decodeJwt(token.reveal())
  t.match(claims, {
    aud: ['aud'],
    'kubernetes.io': { namespace: 'a', pod: { name: 'cart-0', uid }, serviceaccount: { name: 'cart' } },
  })
  t.equal(expiresAt, claims.exp! * 1000)
  const other = { ...request, pod: { name: 'cart-0', uid: 'another' } }
  await t.rejects(createToken(client, other, signal), { code: 'KUBERNETES_CONFLICT' })
  await t.rejects(createToken(client, { ...request, pod: { name: 'gone', uid } }, signal), {
    code: 'KUBERNETES_NOT_FOUND',
  })
  await t.rejects(createToken(client, { ...request, expirationSeconds: 5 }, signal), {
    code: 'KUBERNETES_INVALID',
  })
  for (const status of [{}, { token: 'x' }, { token: 7, expirationTimestamp: '2026-01-01T00:00:00Z' }]) {
    kubernetes.intercept = () => ({ status: 201, body: { status } })
    await t.rejects(createToken(client, request, signal), { code: 'KUBERNETES_INVALID', retryable: true })
  }
})

t.test('the pods of a node are listed completely', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  kubernetes.maxPageSize = 2
  for (const name of ['p1', 'p2', 'p3'])
    kubernetes.createPod({ namespace: 'a', name, nodeName: 'n1', ips: ['10.0.0.1'] })
  kubernetes.createPod({ namespace: 'a', name: 'p4', nodeName: 'n2' })
  const pods = await listNodePods(client, 'n1', systemClock, signal)
  t.strictSame(
    pods.map(({ name }) => name),
    ['p1', 'p2', 'p3'],
  )
  kubernetes.intercept = () => ({
    status: 200,
    body: { metadata: { resourceVersion: '1' }, items: [{ metadata: {} }] },
  })
  await t.rejects(listNodePods(client, 'n1', systemClock, signal), {
    code: 'KUBERNETES_INVALID',
    retryable: true,
  })
})

t.test('a service account that was not asked for is not taken for the one that was', async (t) => {
  const server = await startApiServer((_, response) =>
    answer(response, 200, { metadata: { namespace: 'b', name: 'cart', uid: 'x' } }),
  )
  const client = createKubernetesClient(server.connection, {
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  })
  t.teardown(async () => {
    await client.close()
    await server.close()
  })
  await t.rejects(readServiceAccount(client, 'a', 'cart', signal), { code: 'KUBERNETES_INVALID' })
})
