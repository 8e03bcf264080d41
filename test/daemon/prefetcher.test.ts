import t from 'tap'
import { PodIndex } from '../../src/caller/pod-index.ts'
import { ServiceAccountIndex } from '../../src/caller/service-account-index.ts'
import { createCredentials } from '../../src/credentials/create-credentials.ts'
import { createPrefetcher, holderOf } from '../../src/daemon/prefetcher.ts'
import type { Credential, CredentialSpec } from '../../src/exchange/credential-spec.ts'
import type { ServiceAccount } from '../../src/kubernetes/types.ts'
import { deadlineIn } from '../../src/lib/deadline.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { pod, serviceAccount } from '../caller/build.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

const EMAIL = 'iam.gke.io/gcp-service-account'

/** A prefetcher over the real indexes and the real cache; `obtained` names pod and identity of each credential obtained. */
function prefetching(options: { synced?: boolean; random?: number } = {}) {
  const clock = new FakeClock()
  const pods = new PodIndex()
  const live: { serviceAccounts: ServiceAccount[]; asked: string[]; down: boolean } = {
    serviceAccounts: [],
    asked: [],
    down: false,
  }
  const serviceAccounts = new ServiceAccountIndex({
    clock,
    read: async (namespace, name) => {
      live.asked.push(name)
      if (live.down) throw new Error('connection refused')
      return live.serviceAccounts.find((it) => it.namespace === namespace && it.name === name)
    },
  })
  const obtained: string[] = []
  const forgotten: string[] = []
  const credentials = createCredentials({
    subjectToken: async () => new Secret('token'),
    clock,
    log: silentLog,
    metrics: createMetrics(),
    random: () => options.random ?? 0,
  })
  const synced = { done: options.synced ?? true }
  function spec(identity: string): CredentialSpec {
    return {
      key: identity,
      kind: 'test',
      identity,
      shareBy: 'serviceAccount',
      minimumRemainingMs: 0,
      async obtain({ holder }): Promise<Credential> {
        obtained.push(`${holder.name} ${holder.serviceAccountUid} ${identity}`)
        return { expiresAt: clock.now() + 3_600_000, digest: identity }
      },
    }
  }
  const prefetcher = createPrefetcher({
    pods,
    serviceAccounts,
    credentials,
    specsFor: (_, account) => (account.annotations[EMAIL] ? [spec(account.annotations[EMAIL])] : []),
    serviceAccountsSynced: () => synced.done,
    dropTokens: (uid) => forgotten.push(uid),
    log: silentLog,
  })
  return { clock, pods, serviceAccounts, credentials, live, synced, obtained, forgotten, prefetcher, spec }
}

t.test('a pod without an address yet has its credential obtained already', async (t) => {
  const { clock, pods, serviceAccounts, obtained } = prefetching()
  serviceAccounts.upsert(serviceAccount('sa-a', { [EMAIL]: 'x' }))
  pods.upsert(pod('a', { phase: 'Pending', ips: [] }))
  await clock.advance(0)
  t.same(obtained, ['a uid-sa-a x'])
  pods.upsert(pod('a'))
  await clock.advance(0)
  t.same(obtained, ['a uid-sa-a x'], 'and only once')
})

t.test('when the daemon meets all its pods, those that are about to start come first', async (t) => {
  const { clock, pods, serviceAccounts, obtained } = prefetching({ random: 0.9 })
  for (const name of ['a', 'b']) serviceAccounts.upsert(serviceAccount(`sa-${name}`, { [EMAIL]: name }))
  pods.upsert(pod('a'))
  pods.upsert(pod('b', { phase: 'Pending', ips: [] }))
  await clock.advance(0)
  t.same(obtained, ['b uid-sa-b b'])
  await clock.advance(900)
  t.same(obtained, ['b uid-sa-b b', 'a uid-sa-a a'])
})

t.test('pods that can never ask get none', async (t) => {
  const { clock, pods, serviceAccounts, credentials, obtained } = prefetching()
  for (const name of ['a', 'b', 'c', 'd'])
    serviceAccounts.upsert(serviceAccount(`sa-${name}`, { [EMAIL]: name }))
  pods.upsert(pod('a', { hostNetwork: true }))
  pods.upsert(pod('b', { phase: 'Succeeded' }))
  pods.upsert(pod('c', { serviceAccountName: '' }))
  pods.upsert(pod('d', { terminating: true, sandboxGone: true }))
  await clock.advance(0)
  t.same(obtained, [])
  t.equal(credentials.size, 0)
})

t.test('accounts never seen are asked for, once each, when the list of accounts is complete', async (t) => {
  const { clock, pods, live, synced, obtained, prefetcher } = prefetching({ synced: false })
  for (let i = 0; i < 20; i++) {
    live.serviceAccounts.push(serviceAccount(`sa-${i}`, { [EMAIL]: `x${i}` }))
    pods.upsert(pod(`p${i}`, { serviceAccountName: `sa-${i}` }))
    pods.upsert(pod(`q${i}`, { serviceAccountName: `sa-${i}` }))
  }
  await settle()
  t.same(live.asked, [])
  synced.done = true
  prefetcher.serviceAccountsReady()
  t.equal(live.asked.length, 8, 'a few at a time')
  await clock.advance(0)
  t.equal(live.asked.length, 20)
  t.equal(obtained.length, 20)
})

t.test('the account of a pod that went before the list was complete is not asked for', async (t) => {
  const { pods, live, synced, prefetcher } = prefetching({ synced: false })
  pods.upsert(pod('a'))
  pods.remove('ns/a')
  synced.done = true
  prefetcher.serviceAccountsReady()
  t.same(live.asked, [])
})

t.test('a question that fails stops no other, and the watch mends it', async (t) => {
  const { clock, pods, serviceAccounts, live, obtained } = prefetching()
  live.down = true
  for (let i = 0; i < 20; i++) pods.upsert(pod(`p${i}`, { serviceAccountName: `sa-${i}` }))
  await settle()
  t.equal(live.asked.length, 20)
  serviceAccounts.upsert(serviceAccount('sa-7', { [EMAIL]: 'x' }))
  await clock.advance(0)
  t.same(obtained, ['p7 uid-sa-7 x'])
})

t.test('a changed annotation drops what was obtained, and obtains anew', async (t) => {
  const { clock, pods, serviceAccounts, credentials, obtained, spec } = prefetching()
  serviceAccounts.upsert(serviceAccount('sa-a', { [EMAIL]: 'x' }))
  pods.upsert(pod('a'))
  await clock.advance(0)
  const holder = holderOf(pod('a'), serviceAccount('sa-a'))
  t.equal(credentials.peek(spec('x'), holder)?.digest, 'x')
  serviceAccounts.upsert(serviceAccount('sa-a', { [EMAIL]: 'y' }))
  t.equal(credentials.peek(spec('x'), holder), undefined)
  await clock.advance(0)
  t.same(obtained, ['a uid-sa-a x', 'a uid-sa-a y'])
  serviceAccounts.upsert(serviceAccount('sa-a'))
  t.equal(credentials.size, 0)
})

t.test('an account that is deleted and made again is another principal', async (t) => {
  const { clock, pods, serviceAccounts, credentials, obtained, forgotten } = prefetching()
  serviceAccounts.upsert(serviceAccount('sa-a', { [EMAIL]: 'x' }))
  pods.upsert(pod('a'))
  await clock.advance(0)
  serviceAccounts.remove('ns/sa-a')
  t.equal(credentials.size, 0)
  t.same(forgotten, ['uid-a'], 'a token of the first is no token of the second')
  serviceAccounts.upsert({ ...serviceAccount('sa-a', { [EMAIL]: 'x' }), uid: 'second' })
  await clock.advance(0)
  t.same(obtained, ['a uid-sa-a x', 'a second x'])
})

for (const end of ['removed', 'replaced', 'Succeeded', 'sandbox gone'] as const) {
  t.test(`everything of a pod that is ${end} is dropped at once`, async (t) => {
    const { clock, pods, serviceAccounts, credentials, obtained, forgotten, spec } = prefetching()
    serviceAccounts.upsert(serviceAccount('sa-a', { [EMAIL]: 'x' }))
    pods.upsert(pod('a'))
    await clock.advance(0)
    if (end === 'removed') pods.remove('ns/a')
    else if (end === 'replaced') pods.upsert(pod('a', { uid: 'second', serviceAccountName: 'other' }))
    else if (end === 'Succeeded') pods.upsert(pod('a', { phase: end }))
    else pods.upsert(pod('a', { terminating: true, sandboxGone: true }))
    t.same(forgotten, ['uid-a'])
    t.equal(credentials.size, 0)
    const holder = holderOf(pod('a'), serviceAccount('sa-a'))
    const deadline = deadlineIn(clock, 100)
    await t.rejects(credentials.get(spec('x'), holder, deadline), { code: 'CALLER_CHANGED' })
    pods.remove('ns/a')
    await clock.advance(60_000)
    t.same(obtained, ['a uid-sa-a x'])
    t.equal(serviceAccounts.size, 1)
    serviceAccounts.upsert(serviceAccount('sa-a'))
    t.equal(serviceAccounts.size, 0, 'nobody uses the account any more')
  })
}

t.test('a pod whose sandbox is made anew keeps its credential', async (t) => {
  const { clock, pods, serviceAccounts, credentials, forgotten, spec } = prefetching()
  serviceAccounts.upsert(serviceAccount('sa-a', { [EMAIL]: 'x' }))
  pods.upsert(pod('a'))
  await clock.advance(0)
  pods.upsert(pod('a', { sandboxGone: true }))
  pods.upsert(pod('a', { ips: ['10.0.0.2'] }))
  t.same(forgotten, [])
  const holder = holderOf(pod('a'), serviceAccount('sa-a'))
  const deadline = deadlineIn(clock, 100)
  t.equal((await credentials.get(spec('x'), holder, deadline)).digest, 'x')
})

t.test('a pod that goes while its account is asked for leaves nothing behind', async (t) => {
  const { clock, pods, serviceAccounts, credentials, live, obtained } = prefetching()
  live.serviceAccounts.push(serviceAccount('sa-a', { [EMAIL]: 'x' }))
  pods.upsert(pod('a'))
  pods.remove('ns/a')
  await clock.advance(60_000)
  t.same(obtained, [])
  t.equal(credentials.size, 0)
  serviceAccounts.upsert(serviceAccount('sa-a'))
  t.equal(serviceAccounts.size, 0)
  t.equal(clock.pending, 0)
})
