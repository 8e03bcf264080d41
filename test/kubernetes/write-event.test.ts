import t from 'tap'
import type { PodEvent } from '../../src/kubernetes/pod-event.ts'
import { writeEvent } from '../../src/kubernetes/write-event.ts'
import { sandboxClient } from './sandbox-client.ts'

const { signal } = new AbortController()
const AT = Date.UTC(2026, 0, 1, 12, 0, 0, 999)

function event(change: Partial<PodEvent> = {}): PodEvent {
  const pod = { namespace: 'a', name: 'cart-0', uid: 'u1' }
  return { pod, reason: 'IdentityRefused', message: 'why', count: 1, firstAt: AT, lastAt: AT, ...change }
}

t.test('an event is about the pod, and its message is one line that is cut between characters', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  const uid = kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  const pod = { namespace: 'a', name: 'cart-0', uid }
  const options = { client, nodeName: 'n1', known: false, signal }
  await writeEvent(event({ pod, message: 'short,\n\tbut\r\n on a line\n' }), options)
  await writeEvent(event({ pod, message: '🙂'.repeat(1000) }), options)
  await writeEvent(event({ pod, message: `x${'🙂'.repeat(1000)}` }), options)
  t.match(kubernetes.events, [
    {
      namespace: 'a',
      reason: 'IdentityRefused',
      message: 'short, but on a line',
      regardingUid: uid,
      count: 1,
    },
    {},
    {},
  ])
  for (const { message } of kubernetes.events.slice(1)) {
    t.ok(Buffer.byteLength(message) <= 1024)
    t.match(message, /^x?(🙂){255}…$/u)
  }
})

t.test('a repetition raises the count of the same event', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  const options = { client, nodeName: 'n1', signal }
  t.equal(await writeEvent(event(), { ...options, known: false }), 0)
  t.equal(await writeEvent(event({ count: 12 }), { ...options, known: true }), 0)
  t.match(kubernetes.events, [{ count: 12 }])
  t.equal(kubernetes.events.length, 1)
  t.equal(kubernetes.calls.get('create events'), 1)
  t.equal(kubernetes.calls.get('patch events'), 1)
})

t.test('a daemon that was started anew goes on with the event of the one before', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  const options = { client, nodeName: 'n1', known: false, signal }
  t.equal(await writeEvent(event({ count: 40 }), options), 0)
  t.equal(await writeEvent(event(), options), 40)
  t.match(kubernetes.events, [{ count: 40 }])
  t.equal(kubernetes.events.length, 1)
})

t.test('an event that the API server has forgotten is written anew', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  t.equal(await writeEvent(event({ count: 7 }), { client, nodeName: 'n1', known: true, signal }), 0)
  t.match(kubernetes.events, [{ count: 7 }])
})

t.test('another pod, reason or message is another event', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  const replaced = { namespace: 'a', name: 'cart-0', uid: 'u2' }
  for (const other of [{}, { pod: replaced }, { reason: 'IdentityInvalid' }, { message: 'because' }])
    t.equal(await writeEvent(event(other), { client, nodeName: 'n1', known: false, signal }), 0)
  t.equal(kubernetes.events.length, 4)
})

t.test('a count that makes no sense is not gone on from', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  const options = { client, nodeName: 'n1', known: false, signal }
  await writeEvent(event(), options)
  for (const count of [-1, 0, 2 ** 31, '7', undefined]) {
    kubernetes.intercept = (call) => (call === 'patch events' ? { status: 200, body: { count } } : undefined)
    t.equal(await writeEvent(event(), options), 1)
  }
})

t.test('what the API server refuses is thrown', async (t) => {
  const { kubernetes, client } = await sandboxClient(t)
  const options = { client, nodeName: 'n1', signal }
  await t.rejects(writeEvent(event(), { ...options, known: false }), { code: 'KUBERNETES_NOT_FOUND' })
  kubernetes.createPod({ namespace: 'a', name: 'cart-0' })
  kubernetes.intercept = () => ({ status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'no' } })
  for (const known of [false, true])
    await t.rejects(writeEvent(event(), { ...options, known }), { code: 'KUBERNETES_FORBIDDEN' })
})
