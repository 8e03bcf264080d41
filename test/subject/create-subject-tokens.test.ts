import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { listNodePods } from '../../src/kubernetes/list-node-pods.ts'
import type { Pod } from '../../src/kubernetes/types.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createSubjectTokens } from '../../src/subject/create-subject-tokens.ts'
import { sandboxClient } from '../kubernetes/sandbox-client.ts'

const signal = new AbortController().signal

async function setUp(t: Test, source: 'auto' | 'tokenRequest' | 'projected', rights?: string[]) {
  const made = await sandboxClient(t, rights)
  const { kubernetes, client, metrics } = made
  kubernetes.createPod({
    namespace: 'shop',
    name: 'cart-0',
    serviceAccountName: 'cart',
    nodeName: 'n1',
    projectedTokens: [{ volume: 'gcp', path: 'token', audience: 'aud' }],
  })
  const [pod] = await listNodePods(client, 'n1', systemClock, signal)
  const kubeletRoot = t.testdir({})
  const tokens = createSubjectTokens({
    source,
    kubeletRoot,
    client,
    clock: systemClock,
    log: silentLog,
    metrics,
  })
  let serviceAccountUid = kubernetes.applyServiceAccount('shop', 'cart')
  const get = (audience = 'aud', change: Partial<Pod> = {}, renew = false) =>
    tokens.get(
      { pod: { ...pod!, ...change }, serviceAccountUid, audience, expirationSeconds: 3600, renew },
      signal,
    )
  const replaceAccount = () => {
    kubernetes.removeServiceAccount('shop', 'cart')
    serviceAccountUid = kubernetes.applyServiceAccount('shop', 'cart')
  }
  const asked = () => kubernetes.calls.get('create serviceaccounts/token') ?? 0
  const project = async () => {
    const volume = join(kubeletRoot, 'pods', pod!.uid, 'volumes/kubernetes.io~projected/gcp')
    await mkdir(volume, { recursive: true })
    await writeFile(join(volume, 'token'), await kubernetes.mintToken(pod!, 'aud'))
  }
  return { ...made, tokens, pod: pod!, get, asked, project, replaceAccount }
}

t.test('any number of callers share one request, and later ones its token', async (t) => {
  const { kubernetes, pod, tokens, get, asked } = await setUp(t, 'tokenRequest')
  const got = await Promise.all(Array.from({ length: 100 }, () => get()))
  t.equal(new Set(got).size, 1)
  t.equal(await get(), got[0])
  t.equal(asked(), 1)
  await get('other')
  t.equal(asked(), 2, 'another audience')
  await get('aud', {}, true)
  t.equal(asked(), 3, 'renewed')
  tokens.forget(pod.uid)
  kubernetes.removePod('shop', 'cart-0')
  await t.rejects(get(), { code: 'SUBJECT_TOKEN_POD_GONE', retryable: false })
})

t.test('refusals of the API server tell what to do', async (t) => {
  const { kubernetes, get } = await setUp(t, 'tokenRequest', ['list pods'])
  await t.rejects(get(), { code: 'SUBJECT_TOKEN_REFUSED', publicMessage: /create serviceaccounts\/token/ })
  await t.rejects(get('aud', { serviceAccountName: '' }, true), { code: 'SUBJECT_TOKEN_REFUSED' })
  const answers = [
    [409, 'SUBJECT_TOKEN_POD_GONE', false],
    [404, 'SUBJECT_TOKEN_POD_GONE', false],
    [422, 'SUBJECT_TOKEN_REFUSED', false],
    [500, 'SUBJECT_TOKEN_UNAVAILABLE', true],
    [429, 'SUBJECT_TOKEN_UNAVAILABLE', true],
    [201, 'SUBJECT_TOKEN_UNAVAILABLE', true],
  ] as const
  for (const [status, code, retryable] of answers) {
    kubernetes.intercept = () => ({ status, body: {} })
    await t.rejects(get(), { code, retryable }, String(status))
  }
})

t.test('a refusal that is over a moment later is none', async (t) => {
  const { kubernetes, get, asked } = await setUp(t, 'tokenRequest')
  kubernetes.intercept = () => (asked() === 1 ? { status: 403, body: {} } : undefined)
  t.ok(await get())
  t.equal(asked(), 2)
  kubernetes.resetCalls()
  kubernetes.intercept = () => ({ status: 403, body: {} })
  await t.rejects(get('other'), { code: 'SUBJECT_TOKEN_REFUSED', retryable: false })
  t.equal(asked(), 2, 'asked once more, and no oftener')
})

t.test('a pod that goes while a refusal is looked at again is not asked for', async (t) => {
  const { kubernetes, pod, tokens, get, asked } = await setUp(t, 'tokenRequest')
  const refused = new Promise<void>((resolve) => {
    kubernetes.intercept = () => {
      setImmediate(resolve)
      return { status: 403, body: {} }
    }
  })
  const asking = get()
  await refused
  tokens.forget(pod.uid)
  await t.rejects(asking, { code: 'SUBJECT_TOKEN_POD_GONE' })
  t.equal(asked(), 1)
})

t.test('a token of another pod is not passed on, even from the API server', async (t) => {
  const { kubernetes, get } = await setUp(t, 'tokenRequest')
  kubernetes.createPod({ namespace: 'shop', name: 'other', serviceAccountName: 'cart', nodeName: 'n1' })
  const token = await kubernetes.mintToken({ namespace: 'shop', name: 'other' }, 'aud')
  const status = { token, expirationTimestamp: '2099-01-01T00:00:00Z' }
  kubernetes.intercept = () => ({ status: 201, body: { status } })
  await t.rejects(get(), { code: 'SUBJECT_TOKEN_INVALID', retryable: false })
})

t.test('auto takes the projected token where there is one, and asks for one where not', async (t) => {
  const { get, asked, project, tokens, pod, metrics } = await setUp(t, 'auto')
  const requested = await get()
  t.equal(asked(), 1, 'not on the disk yet')
  tokens.forget(pod.uid)
  await project()
  t.not((await get()).token.reveal(), requested.token.reveal())
  t.equal(asked(), 1, 'from the disk')
  await get('other')
  t.equal(asked(), 2, 'the pod mounts none for this audience')
  await get('aud', {}, true)
  t.equal(asked(), 3, 'the projected one is called expired')
  const { values } = await metrics.subjectTokens.get()
  t.strictSame(values.map(({ labels, value }) => `${labels.source} ${labels.outcome} ${value}`).sort(), [
    'projected SUBJECT_TOKEN_UNAVAILABLE 1',
    'projected ok 1',
    'tokenRequest ok 3',
  ])
})

t.test('projected alone never asks the API server', async (t) => {
  const { get, asked, project } = await setUp(t, 'projected')
  await t.rejects(get(), { code: 'SUBJECT_TOKEN_UNAVAILABLE' })
  await project()
  t.ok(await get())
  await t.rejects(get('other'), { code: 'SUBJECT_TOKEN_REFUSED' })
  t.equal(asked(), 0)
})

t.test('of a service account that was made again only new tokens are used', async (t) => {
  const { get, asked, project, replaceAccount } = await setUp(t, 'auto')
  await project()
  const first = await get()
  t.equal(asked(), 0)
  replaceAccount()
  t.not((await get()).token.reveal(), first.token.reveal())
  t.equal(asked(), 1, "the disk has the first one's until the kubelet looks again")
  await project()
  await get()
  t.equal(asked(), 1)
})

t.test('projected alone waits for the kubelet when the service account was made again', async (t) => {
  const { get, project, replaceAccount } = await setUp(t, 'projected')
  await project()
  await get()
  replaceAccount()
  await t.rejects(get(), { code: 'SUBJECT_TOKEN_UNAVAILABLE', retryable: true })
  await project()
  t.ok(await get())
})
