import fc from 'fast-check'
import t from 'tap'
import { systemClock } from '../../../src/lib/clock.ts'
import { Collection, type Unversioned } from '../../../src/sandbox/kubernetes/collection.ts'
import type { PodObject } from '../../../src/sandbox/kubernetes/kubernetes-object.ts'
import { PODS } from '../../../src/sandbox/kubernetes/resources.ts'

function pod(namespace: string, name: string, nodeName: string, uid: string): Unversioned<PodObject> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, uid, creationTimestamp: '' },
    spec: { nodeName },
    status: { phase: 'Running', conditions: [] },
  }
}

const step = fc.record({
  put: fc.boolean(),
  namespace: fc.constantFrom('a', 'a-b', 'b'),
  name: fc.constantFrom('x', 'y', 'z'),
  nodeName: fc.constantFrom('n1', 'n2', ''),
})

t.test('every version of the past can be seen whole, by namespace and through the index', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const versions = { current: 1 }
      const collection = new Collection(PODS, versions, systemClock)
      const model = new Map<string, string>()
      const past: { version: number; pods: [string, string][] }[] = []
      steps.forEach(({ put, namespace, name, nodeName }, i) => {
        const key = `${namespace}/${name}`
        if (put) collection.put(pod(namespace, name, nodeName, `uid-${i}`))
        else collection.remove(key)
        if (put) model.set(key, nodeName)
        else model.delete(key)
        past.push({ version: versions.current, pods: [...model].sort(([a], [b]) => (a < b ? -1 : 1)) })
      })
      for (const { version, pods } of past) {
        const view = collection.viewOf(version)!
        const shown = (scan: Parameters<typeof view.scan>[0]) =>
          [...view.scan(scan)].map(([key, object]) => `${key} ${object.spec.nodeName}`)
        const expected = (keep: (key: string, nodeName: string) => boolean) =>
          pods.filter(([key, nodeName]) => keep(key, nodeName)).map(([key, nodeName]) => `${key} ${nodeName}`)
        same(
          shown({}),
          expected(() => true),
        )
        same(
          shown({ namespace: 'a' }),
          expected((key) => key.startsWith('a/')),
        )
        same(
          shown({ after: 'a/y' }),
          expected((key) => key > 'a/y'),
        )
        same(
          shown({ namespace: 'b', after: 'a/y' }),
          expected((key) => key.startsWith('b/')),
        )
        const onNode = [...view.scan({ indexedValue: 'n1' })].filter(
          ([, object]) => object.spec.nodeName === 'n1',
        )
        same(
          onNode.map(([key]) => `${key} n1`),
          expected((_key, nodeName) => nodeName === 'n1'),
        )
      }
    }),
  )
})

function same(actual: readonly string[], expected: readonly string[]): void {
  if (actual.join() !== expected.join()) throw new Error(`[${actual}] is not [${expected}]`)
}

t.test('the history is bounded, and says what it has forgotten', async (t) => {
  const versions = { current: 1 }
  const collection = new Collection(PODS, versions, systemClock)
  for (let i = 0; i < 50_000; i++) collection.put(pod('a', 'x', 'n1', 'uid'))
  t.equal(collection.since(1), undefined)
  t.equal(collection.viewOf(1), undefined)
  const recent = collection.since(versions.current - 10_000)
  t.equal(recent?.length, 10_000)
  t.equal(collection.byUid('uid')?.metadata.resourceVersion, String(versions.current))
  collection.compact()
  t.equal(collection.since(versions.current - 1), undefined)
  t.same(collection.since(versions.current), [])
})
