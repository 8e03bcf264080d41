import t from 'tap'
import type { Caller, CallerSession } from '../../src/caller/caller.ts'
import { deadlineIn } from '../../src/lib/deadline.ts'
import { settle } from '../support/fake-clock.ts'
import { bench, type CallerBench, connection, pod, serviceAccount } from './build.ts'

function identify(b: CallerBench, session: CallerSession, ms = 900): Promise<Caller> {
  const deadline = deadlineIn(b.clock, ms)
  return session.identify(deadline).finally(() => deadline[Symbol.dispose]())
}

/** The error code that the promise ends with, or the caller's pod name. */
function outcome(promise: Promise<Caller>): Promise<string> {
  return promise.then(
    (caller) => caller.pod.name,
    (error) => error.code ?? String(error),
  )
}

function withPod(b: CallerBench, name: string, change: Parameters<typeof pod>[1] = {}): void {
  const p = pod(name, change)
  b.live.pods.push(p)
  b.live.serviceAccounts.push(serviceAccount(p.serviceAccountName))
  b.serviceAccounts.use(`ns/${p.serviceAccountName}`)
  b.serviceAccounts.upsert(serviceAccount(p.serviceAccountName))
  b.pods.upsert(p)
}

t.test('a pod that the fresh watch shows is known without asking anybody', async (t) => {
  const b = bench()
  withPod(b, 'a')
  const caller = b.identifier.open(connection('10.0.0.1')).current()
  t.equal(caller?.pod.uid, 'uid-a')
  t.equal(caller?.serviceAccount.uid, 'uid-sa-a')
  t.equal(b.live.reads, 0)
})

t.test('every address of a pod is the pod, IPv6 included', async (t) => {
  const b = bench()
  withPod(b, 'a', { ips: ['10.0.0.1', 'fd00::1'] })
  t.equal(b.identifier.open(connection('fd00::1')).current()?.pod.name, 'a')
})

t.test('an unknown caller is held and woken by the event that names it', async (t) => {
  const b = bench()
  const session = b.identifier.open(connection('10.0.0.1'))
  const caller = outcome(identify(b, session))
  await b.clock.advance(800)
  withPod(b, 'a')
  t.equal(await caller, 'a')
  t.equal(b.live.reads, 0, 'and nobody asked the API server meanwhile')
})

t.test('an unknown caller that stays unknown is a retryable refusal at the deadline', async (t) => {
  const b = bench()
  const session = b.identifier.open(connection('10.0.0.9'))
  const caller = identify(b, session)
  caller.catch(() => {})
  await b.clock.advance(900)
  await t.rejects(caller, { code: 'CALLER_UNKNOWN', retryable: true })
  t.equal(b.clock.pending, 0, 'no timer is left behind')
})

t.test('a host-network pod is never matched by its address', async (t) => {
  const b = bench()
  withPod(b, 'host', { hostNetwork: true })
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(900)
  t.equal(await caller, 'CALLER_UNKNOWN')
})

for (const phase of ['Succeeded', 'Failed'] as const) {
  t.test(`a pod in phase ${phase} no longer owns the address its status still shows`, async (t) => {
    const b = bench()
    withPod(b, 'done', { phase })
    withPod(b, 'next')
    t.equal(b.identifier.open(connection('10.0.0.1')).current()?.pod.name, 'next')
  })
}

t.test('a terminating pod owns its address until its sandbox is gone', async (t) => {
  const b = bench()
  withPod(b, 'old', { terminating: true })
  t.equal(b.identifier.open(connection('10.0.0.1')).current()?.pod.name, 'old')
  b.pods.upsert(pod('old', { terminating: true, sandboxGone: true }))
  t.equal(b.identifier.open(connection('10.0.0.1')).current(), undefined)
})

t.test('two live claimants are settled by one live read, however many ask', async (t) => {
  const b = bench()
  withPod(b, 'old')
  withPod(b, 'new')
  b.live.pods = b.live.pods.filter((p) => p.name === 'new')
  const sessions = Array.from({ length: 100 }, () => b.identifier.open(connection('10.0.0.1')))
  const callers = sessions.map((session) => outcome(identify(b, session)))
  t.same(new Set(await Promise.all(callers)), new Set(['new']))
  t.equal(b.live.reads, 1)
})

t.test('two live claimants that the API server shows too are refused, and may try again', async (t) => {
  const b = bench()
  withPod(b, 'old')
  withPod(b, 'new')
  const caller = identify(b, b.identifier.open(connection('10.0.0.1')))
  caller.catch(() => {})
  await b.clock.advance(900)
  await t.rejects(caller, { code: 'CALLER_AMBIGUOUS', retryable: true })
})

t.test(
  'two live claimants are settled while the request is held, when the watch says that one is gone',
  async (t) => {
    const b = bench()
    withPod(b, 'old')
    withPod(b, 'new')
    const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
    await b.clock.advance(100)
    b.pods.remove('ns/old')
    t.equal(await caller, 'new')
  },
)

t.test('a static pod is refused for having no service account', async (t) => {
  const b = bench()
  withPod(b, 'static', { serviceAccountName: '' })
  await t.rejects(identify(b, b.identifier.open(connection('10.0.0.1'))), {
    code: 'CALLER_NO_SERVICE_ACCOUNT',
    retryable: false,
  })
})

t.test('a service account never seen is asked for, once, and not taken for un-annotated', async (t) => {
  const b = bench()
  b.live.serviceAccounts = [serviceAccount('sa-a', { 'iam.gke.io/gcp-service-account': 'x' })]
  b.serviceAccounts.use('ns/sa-a')
  b.pods.upsert(pod('a'))
  const sessions = Array.from({ length: 10 }, () => b.identifier.open(connection('10.0.0.1')))
  t.equal(sessions[0]!.current(), undefined)
  const callers = await Promise.all(sessions.map((session) => identify(b, session)))
  t.same(callers[9]!.serviceAccount.annotations, { 'iam.gke.io/gcp-service-account': 'x' })
  t.same(b.live.asked, ['ns/sa-a'])
})

t.test(
  'a service account that does not exist is a refusal that may be retried, and ends when it is created',
  async (t) => {
    const b = bench()
    b.serviceAccounts.use('ns/sa-a')
    b.pods.upsert(pod('a'))
    const first = identify(b, b.identifier.open(connection('10.0.0.1')))
    first.catch(() => {})
    await b.clock.advance(900)
    await t.rejects(first, { code: 'SERVICE_ACCOUNT_MISSING', retryable: true })
    const second = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
    await settle()
    b.serviceAccounts.upsert(serviceAccount('sa-a'))
    t.equal(await second, 'a')
  },
)

t.test('a caller turns invalid for good when its pod changes, and is found again at once', async (t) => {
  const b = bench()
  withPod(b, 'a')
  const session = b.identifier.open(connection('10.0.0.1'))
  const caller = session.current()!
  b.pods.upsert(pod('a', { labels: { x: 'y' } }))
  t.equal(caller.valid, false)
  t.same(session.current()?.pod.labels, { x: 'y' })
})

t.test('a caller turns invalid when its service account is annotated otherwise or replaced', async (t) => {
  const b = bench()
  withPod(b, 'a')
  const session = b.identifier.open(connection('10.0.0.1'))
  const first = session.current()!
  b.serviceAccounts.upsert({ ...serviceAccount('sa-a'), resourceVersion: '7' })
  t.equal(first.valid, true, 'a change of nothing that matters leaves it')
  b.serviceAccounts.upsert(serviceAccount('sa-a', { 'iam.gke.io/gcp-service-account': 'x' }))
  t.equal(first.valid, false)
  const second = session.current()!
  b.serviceAccounts.upsert({ ...serviceAccount('sa-a', second.serviceAccount.annotations), uid: 'another' })
  t.equal(second.valid, false)
  b.serviceAccounts.remove('ns/sa-a')
  t.equal(session.current(), undefined)
})

t.test('a connection that was one pod is never another', async (t) => {
  const b = bench()
  withPod(b, 'a')
  const session = b.identifier.open(connection('10.0.0.1'))
  t.equal(session.current()?.pod.name, 'a')
  b.pods.remove('ns/a')
  withPod(b, 'b')
  t.equal(session.current(), undefined)
  await t.rejects(identify(b, session), { code: 'CALLER_CHANGED', retryable: true })
  t.equal(
    b.identifier.open(connection('10.0.0.1')).current()?.pod.name,
    'b',
    'a new connection is the new pod',
  )
})

t.test('a pod replaced under its own name is another pod', async (t) => {
  const b = bench()
  withPod(b, 'a')
  const session = b.identifier.open(connection('10.0.0.1'))
  session.current()
  b.pods.upsert(pod('a', { uid: 'uid-of-the-second' }))
  t.equal(session.current(), undefined)
  t.equal(b.pods.byUid('uid-a'), undefined)
})

t.test(
  'a pod that nothing has confirmed lately is confirmed by one live read before it is answered',
  async (t) => {
    const b = bench()
    withPod(b, 'a')
    b.watch.confirmedAt = b.clock.now() - 30_001
    const sessions = Array.from({ length: 50 }, () => b.identifier.open(connection('10.0.0.1')))
    t.equal(sessions[0]!.current(), undefined)
    await Promise.all(sessions.map((session) => identify(b, session)))
    t.equal(b.live.reads, 1)
    t.equal(
      b.identifier.open(connection('10.0.0.1')).current()?.pod.name,
      'a',
      'the read vouches for the window',
    )
    await b.clock.advance(30_001)
    t.equal(b.identifier.open(connection('10.0.0.1')).current(), undefined, 'and no longer')
  },
)

t.test('a live read vouches for what it saw, not for an owner that only the stale watch shows', async (t) => {
  const b = bench()
  withPod(b, 'old')
  b.watch.confirmedAt = 0
  b.live.pods = [pod('new')]
  b.live.serviceAccounts.push(serviceAccount('sa-new'))
  t.equal(await outcome(identify(b, b.identifier.open(connection('10.0.0.1')))), 'new')
  t.equal(b.identifier.open(connection('10.0.0.1')).current(), undefined)
  const next = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(50)
  t.equal(await next, 'new')
})

t.test('with a window of 0 every connection is confirmed by a read that is newer than itself', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  withPod(b, 'a')
  const gate = Promise.withResolvers<void>()
  b.live.gate = gate.promise
  const early = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await settle()
  b.live.pods = [pod('b')]
  b.live.serviceAccounts.push(serviceAccount('sa-b'))
  const late = Array.from({ length: 5 }, () =>
    outcome(identify(b, b.identifier.open(connection('10.0.0.1')))),
  )
  await settle()
  t.equal(b.live.reads, 1, 'those who came during the read wait for the next')
  gate.resolve()
  t.equal(await early, 'a')
  await b.clock.advance(50)
  t.same(await Promise.all(late), ['b', 'b', 'b', 'b', 'b'])
  t.equal(b.live.reads, 2)
})

t.test('what an event said during a live read overrules the read', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  withPod(b, 'a')
  const gate = Promise.withResolvers<void>()
  b.live.gate = gate.promise
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await settle()
  b.live.pods = []
  b.pods.remove('ns/a')
  gate.resolve()
  await b.clock.advance(900)
  t.equal(await caller, 'CALLER_UNKNOWN')
})

t.test(
  'while the API server is down an unconfirmed pod is refused, unless the operator allows it',
  async (t) => {
    for (const serveUnconfirmed of [false, true]) {
      const b = bench({ serveUnconfirmed })
      withPod(b, 'a')
      b.watch.confirmedAt = 0
      b.live.down = true
      const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
      await b.clock.advance(900)
      t.equal(await caller, serveUnconfirmed ? 'a' : 'CALLER_UNCONFIRMED')
    }
  },
)

t.test('what a live read has said since is never overruled by an older watch', async (t) => {
  const b = bench({ serveUnconfirmed: true })
  withPod(b, 'a')
  b.watch.confirmedAt = 0
  b.live.pods = [pod('b')]
  b.live.serviceAccounts = [serviceAccount('sa-b')]
  t.equal(await outcome(identify(b, b.identifier.open(connection('10.0.0.1')))), 'b')
  await b.clock.advance(60_000)
  b.live.down = true
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(900)
  t.equal(await caller, 'CALLER_UNCONFIRMED')
})

t.test('a live read that saw two owners vouches for neither', async (t) => {
  const b = bench()
  withPod(b, 'a')
  b.live.pods.push(pod('b'))
  b.watch.confirmedAt = 0
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(900)
  t.equal(await caller, 'CALLER_AMBIGUOUS')
  t.equal(b.identifier.open(connection('10.0.0.1')).current(), undefined)
})

t.test(
  'of two live claimants none is served without the API server, whatever the operator allows',
  async (t) => {
    const b = bench({ serveUnconfirmed: true })
    withPod(b, 'old')
    withPod(b, 'new')
    b.live.down = true
    const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
    await b.clock.advance(900)
    t.equal(await caller, 'CALLER_UNCONFIRMED')
  },
)

t.test('who owns an address is asked of a live read in the same words as of the watch', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  const gone: Parameters<typeof pod>[1][] = [
    { phase: 'Succeeded' },
    { phase: 'Failed' },
    { hostNetwork: true },
    { terminating: true, sandboxGone: true },
  ]
  b.live.pods = [...gone.map((change, i) => pod(`gone-${i}`, change)), pod('a')]
  b.live.serviceAccounts = [serviceAccount('sa-a')]
  t.equal(await outcome(identify(b, b.identifier.open(connection('10.0.0.1')))), 'a')
})

t.test('a connection that was confirmed once goes on without the API server', async (t) => {
  const b = bench()
  withPod(b, 'a')
  const session = b.identifier.open(connection('10.0.0.1'))
  t.ok(session.current())
  b.watch.confirmedAt = 0
  b.live.down = true
  b.pods.upsert(pod('a', { labels: { changed: 'yes' } }))
  t.same(session.current()?.pod.labels, { changed: 'yes' })
  t.equal(b.identifier.open(connection('10.0.0.1')).current(), undefined, 'another has to be confirmed')
})

t.test('a live read from before what the watch said last is not asked for its opinion', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  withPod(b, 'a')
  const early = b.identifier.open(connection('10.0.0.1'))
  t.equal(await outcome(identify(b, b.identifier.open(connection('10.0.0.1')))), 'a')
  b.live.pods = []
  b.pods.remove('ns/a')
  withPod(b, 'b')
  const caller = outcome(identify(b, early))
  await b.clock.advance(50)
  t.equal(await caller, 'b', 'although that read was newer than the connection')
})

t.test('a pod that came and went while a live read showed it is not the caller', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  const gate = Promise.withResolvers<void>()
  b.live.gate = gate.promise
  b.live.pods = [pod('a')]
  b.live.serviceAccounts = [serviceAccount('sa-a')]
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await settle()
  b.live.pods = []
  b.pods.upsert(pod('a'))
  b.pods.remove('ns/a')
  gate.resolve()
  await b.clock.advance(900)
  t.equal(await caller, 'CALLER_UNKNOWN')
})

t.test(
  'a pod known from a live read only is no caller any more when the watch tells of its end',
  async (t) => {
    for (const end of ['Succeeded', 'deleted'] as const) {
      const b = bench({ confirmWithinMs: 0 })
      b.pods.upsert(pod('a', { phase: 'Pending', ips: [] }))
      b.live.pods = [pod('a')]
      b.live.serviceAccounts = [serviceAccount('sa-a')]
      const session = b.identifier.open(connection('10.0.0.1'))
      const caller = await identify(b, session)
      t.equal(caller.valid, true)
      if (end === 'deleted') b.pods.remove('ns/a')
      else b.pods.upsert(pod('a', { phase: end }))
      t.equal(caller.valid, false, end)
      t.equal(session.current(), undefined)
    }
  },
)

t.test('a pod that the watch never shows is looked for again after half a minute', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  b.live.pods = [pod('a')]
  b.live.serviceAccounts = [serviceAccount('sa-a')]
  const session = b.identifier.open(connection('10.0.0.1'))
  await identify(b, session)
  await b.clock.advance(29_999)
  t.equal(session.current()?.pod.name, 'a')
  b.live.pods = []
  await b.clock.advance(1)
  t.equal(session.current(), undefined)
})

t.test('a clock that was set back does not make an old confirmation new', async (t) => {
  const b = bench()
  withPod(b, 'a')
  b.watch.confirmedAt = b.clock.now() + 3_600_000
  t.equal(b.identifier.open(connection('10.0.0.1')).current(), undefined)
  t.equal(await outcome(identify(b, b.identifier.open(connection('10.0.0.1')))), 'a')
  t.equal(b.live.reads, 1)
})

t.test('a caller that only a live read knows is woken when its service account is created', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  b.live.pods = [pod('a')]
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(100)
  b.serviceAccounts.upsert(serviceAccount('sa-a'))
  await b.clock.advance(100)
  t.equal(await caller, 'a')
})

t.test('an API server that fails for a moment is asked again while the request is held', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  withPod(b, 'a')
  b.live.down = true
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(300)
  t.ok(b.live.reads >= 2 && b.live.reads <= 4, String(b.live.reads))
  b.live.down = false
  await b.clock.advance(500)
  t.equal(await caller, 'a')
})

t.test('callers held while the API server is down reach it a few times together, not each', async (t) => {
  const b = bench()
  b.watch.confirmedAt = 0
  b.live.down = true
  const callers = Array.from({ length: 500 }, (_, i) =>
    outcome(identify(b, b.identifier.open(connection(`10.0.1.${i}`)))),
  )
  await b.clock.advance(900)
  t.same(new Set(await Promise.all(callers)), new Set(['CALLER_UNCONFIRMED']))
  t.ok(b.live.reads <= 7, String(b.live.reads))
})

t.test('a caller that is held leaves nothing waiting when its service account comes too late', async (t) => {
  const b = bench({ confirmWithinMs: 0 })
  const gate = Promise.withResolvers<void>()
  b.live.gate = gate.promise
  b.live.pods = [pod('a')]
  const caller = outcome(identify(b, b.identifier.open(connection('10.0.0.1'))))
  await b.clock.advance(900)
  t.equal(await caller, 'CALLER_NOT_READY')
  gate.resolve()
  await settle()
  t.same(b.live.asked, ['ns/sa-a'], 'what is found late is of use to the next request')
  b.serviceAccounts.upsert(serviceAccount('sa-a'))
  await b.clock.advance(60_000)
  t.equal(b.clock.pending, 0)
})

t.test('a request that is answered leaves no timer and nothing waiting', async (t) => {
  const b = bench()
  withPod(b, 'a')
  await identify(b, b.identifier.open(connection('10.0.0.1')))
  t.equal(b.clock.pending, 0)
})
