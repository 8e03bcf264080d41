import fc from 'fast-check'
import t from 'tap'
import { request } from 'undici'
import { applyJsonPatch, JsonPatchError } from '../../../src/sandbox/kubernetes/json-patch.ts'
import { type Json, startCluster } from './test-cluster.ts'

const TAINTS = [
  { key: 'a', effect: 'NoSchedule' },
  { key: 'b', value: 'x', effect: 'NoExecute' },
] as const

t.test('a node is changed by a JSON patch as the real server does it', async (t) => {
  const { kubernetes, dispatcher, watch, call } = await startCluster(t)
  kubernetes.applyNode('n1', { taints: TAINTS })
  t.strictSame(kubernetes.taints('n1'), TAINTS)
  const admin = kubernetes.userToken('patcher', ['patch nodes'])
  const patch = async (body: unknown, options: { token?: string; type?: string; name?: string } = {}) => {
    const answer = await request(`${kubernetes.url}/api/v1/nodes/${options.name ?? 'n1'}`, {
      dispatcher,
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${options.token ?? admin}`,
        'content-type': options.type ?? 'application/json-patch+json',
      },
      body: JSON.stringify(body),
    })
    return { status: answer.statusCode, body: (await answer.body.json()) as Json }
  }
  const take = (n: number, value: unknown) => [
    { op: 'test', path: `/spec/taints/${n}`, value },
    { op: 'remove', path: `/spec/taints/${n}` },
  ]

  const failedTest = {
    status: 422,
    body: {
      kind: 'Status',
      reason: 'Invalid',
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    },
  }
  t.match(await patch(take(0, TAINTS[1])), failedTest)
  t.match(await patch(take(2, TAINTS[0])), failedTest)
  t.match(await patch([...take(0, TAINTS[0]), { op: 'test', path: '/spec/none', value: 1 }]), failedTest)
  t.strictSame(kubernetes.taints('n1'), TAINTS, 'all operations or none')
  t.match(await patch({ spec: {} }), { status: 400, body: { reason: 'BadRequest' } })
  t.match(await patch([{ op: 'test' }]), { status: 400 })
  t.match(await patch({ spec: {} }, { type: 'application/merge-patch+json' }), {
    status: 415,
    body: { reason: 'UnsupportedMediaType' },
  })
  t.match(await patch(take(0, TAINTS[0]), { name: 'n2' }), { status: 404 })
  const reader = kubernetes.userToken('reader', ['get nodes'])
  t.match(await patch(take(0, TAINTS[0]), { token: reader }), {
    status: 403,
    body: {
      message:
        'nodes "n1" is forbidden: User "reader" cannot patch resource "nodes" in API group "" at the cluster scope',
    },
  })
  t.match(await patch([{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }]), {
    status: 409,
    body: { reason: 'Conflict', message: /the object has been modified/ },
  })
  t.match(await patch([{ op: 'replace', path: '/metadata/uid', value: '1' }]), { status: 422 })
  t.match(await patch([{ op: 'replace', path: '', value: null }]), { status: 422 })

  const { body: before } = await call('/api/v1/nodes/n1')
  const events = await watch(`/api/v1/nodes?watch=1&resourceVersion=${before.metadata.resourceVersion}`)
  t.match(await patch(take(0, TAINTS[0])), { status: 200, body: { spec: { taints: [TAINTS[1]] } } })
  t.match(await events.next(), { type: 'MODIFIED', object: { spec: { taints: [TAINTS[1]] } } })
  t.strictSame(kubernetes.taints('n1'), [TAINTS[1]])
  t.equal(kubernetes.calls.get('patch nodes'), 12)
  t.match(await call('/api/v1/namespaces/a/pods/x', { method: 'PATCH', body: [] }), { status: 405 })
})

t.test('operations of a JSON patch do what RFC 6902 says', async (t) => {
  const document = { list: [1, 2], 'a/b~c': { x: null } }
  const run = (...operations: readonly object[]) => applyJsonPatch(document, operations)
  t.same(run({ op: 'add', path: '/list/-', value: 3 }), { ...document, list: [1, 2, 3] })
  t.same(run({ op: 'add', path: '/list/0', value: 0 }), { ...document, list: [0, 1, 2] })
  t.same(run({ op: 'add', path: '/new', value: { y: 1 } }), { ...document, new: { y: 1 } })
  t.same(run({ op: 'replace', path: '/a~1b~0c/x', value: 1 }), { ...document, 'a/b~c': { x: 1 } })
  t.same(run({ op: 'remove', path: '/a~1b~0c' }), { list: [1, 2] })
  t.same(run({ op: 'test', path: '/list', value: [1, 2] }), document)
  for (const [op, path] of [
    ['test', '/list/01'],
    ['remove', '/list/2'],
    ['remove', '/list/-'],
    ['add', '/list/4'],
    ['replace', '/none'],
    ['add', '/list/0/deeper'],
    ['remove', '/constructor'],
    ['copy', '/list'],
  ]) {
    t.throws(() => run({ op, path, value: 1 }), JsonPatchError, `${op} ${path}`)
  }
  t.same(document, { list: [1, 2], 'a/b~c': { x: null } }, 'the document itself stays')
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (document, patch) => {
      try {
        applyJsonPatch(document, patch)
      } catch (error) {
        t.type(error, JsonPatchError)
      }
    }),
  )
})
