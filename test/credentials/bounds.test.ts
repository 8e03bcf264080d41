import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { codeOf, createFixture, failure, HOUR, pod } from './fixture.ts'

t.test(
  'a pod over its bound loses what it used least recently, and nobody else loses anything',
  async (t) => {
    const f = createFixture({ limits: { entriesPerPod: 3 } })
    const obtain = async (key: string, uid: string) => {
      const answer = f.credentials.get(f.spec(key), pod(uid, `account of ${uid}`), f.deadline())
      const given = (await f.call()).grant()
      await answer
      return given
    }
    const theirs = await obtain('a', 'victim')
    for (const key of ['a', 'b', 'c']) await obtain(key, 'p')
    const mine = pod('p', 'account of p')
    t.ok(f.credentials.peek(f.spec('a'), mine))
    await obtain('d', 'p')
    t.ok(f.credentials.peek(f.spec('a'), mine))
    t.equal(f.credentials.peek(f.spec('b'), mine), undefined)
    for (let number = 0; number < 50; number++) await obtain(`scope ${number}`, 'p')
    t.equal(f.credentials.size, 4)
    t.equal(f.credentials.peek(f.spec('a'), pod('victim', 'account of victim')), theirs)
  },
)

t.test('a pod gives up only its own share of what it shares', async (t) => {
  const f = createFixture({ limits: { entriesPerPod: 1 } })
  const answer = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
  const given = (await f.call()).grant()
  await answer
  await f.credentials.get(f.spec('a'), pod('q'), f.deadline())
  const other = f.credentials.get(f.spec('b'), pod('p'), f.deadline())
  ;(await f.call()).grant()
  await other
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), undefined)
  t.equal(f.credentials.peek(f.spec('a'), pod('q')), given)
})

t.test('a pod may have so many flights at one time, and other pods theirs', async (t) => {
  const f = createFixture({ limits: { flightsPerPod: 2 } })
  const waiting = ['a', 'b'].map((key) => f.credentials.get(f.spec(key), pod('p'), f.deadline()))
  await settle()
  await t.rejects(f.credentials.get(f.spec('c'), pod('p'), f.deadline()), {
    code: 'CREDENTIAL_LIMIT',
    retryable: true,
  })
  t.equal(f.credentials.size, 2, 'nothing is left of what was refused')
  const joined = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
  const theirs = f.credentials.get(f.spec('c'), pod('q'), f.deadline())
  for (let call = 0; call < 3; call++) (await f.call()).grant()
  await Promise.all([...waiting, joined, theirs])
  const after = f.credentials.get(f.spec('d'), pod('p'), f.deadline())
  ;(await f.call()).grant()
  t.ok(await after, 'again, now that they have landed')
})

t.test(
  'a pod that asks for one new credential after the other is held to a rate, and no other pod is',
  async (t) => {
    const f = createFixture({ limits: { launchBurst: 3, launchesPerSecond: 1 } })
    const ask = async (key: string, uid = 'p') => {
      const answer = codeOf(f.credentials.get(f.spec(key), pod(uid, `account of ${uid}`), f.deadline()))
      await settle()
      if (f.calls.length > 0) (await f.call()).grant()
      return answer
    }
    for (const key of ['a', 'b', 'c']) t.not(await ask(key), 'CREDENTIAL_LIMIT')
    t.equal(await ask('d'), 'CREDENTIAL_LIMIT')
    t.not(await ask('a'), 'CREDENTIAL_LIMIT', 'what it has already costs nothing')
    t.not(await ask('d', 'q'), 'CREDENTIAL_LIMIT')
    await f.clock.advance(1_000)
    t.not(await ask('d'), 'CREDENTIAL_LIMIT')
    t.equal(await ask('e'), 'CREDENTIAL_LIMIT')
  },
)

t.test('entries in flight make no room, so that the pod is refused', async (t) => {
  const f = createFixture({ limits: { entriesPerPod: 2 } })
  const waiting = ['a', 'b'].map((key) => f.credentials.get(f.spec(key), pod('p'), f.deadline()))
  await t.rejects(f.credentials.get(f.spec('c'), pod('p'), f.deadline()), { code: 'CREDENTIAL_LIMIT' })
  for (let call = 0; call < 2; call++) (await f.call()).grant()
  await Promise.all(waiting)
})

t.test('a full node refuses a pod that has nothing of its own to give up', async (t) => {
  const f = createFixture({ limits: { entriesPerNode: 2 } })
  for (const key of ['a', 'b']) {
    const answer = f.credentials.get(f.spec(key), pod('p'), f.deadline())
    ;(await f.call()).grant()
    await answer
  }
  const stranger = pod('q', 'other account')
  await t.rejects(f.credentials.get(f.spec('a'), stranger, f.deadline()), { code: 'CREDENTIAL_LIMIT' })
  t.ok(await f.credentials.get(f.spec('a'), pod('r'), f.deadline()), 'what is shared needs no room')
  const own = f.credentials.get(f.spec('c'), pod('p'), f.deadline())
  ;(await f.call()).grant()
  t.ok(await own, 'its own makes room for its own')
  t.ok(f.credentials.size <= 2)
})

t.test('prefetches fly a few at a time, and a request does not wait behind them', async (t) => {
  const f = createFixture({ limits: { prefetchConcurrency: 2, prefetchSpreadMs: 0 } })
  for (const key of ['a', 'b', 'c', 'd']) f.credentials.prefetch(f.spec(key), pod('p'))
  await settle()
  t.same(
    f.calls.map(({ key }) => key),
    ['a', 'b'],
  )
  const answer = f.credentials.get(f.spec('d'), pod('p'), f.deadline())
  await settle()
  t.same(
    f.calls.map(({ key }) => key),
    ['a', 'b', 'd'],
  )
  for (const call of f.calls.splice(0)) call.grant()
  await answer
  await settle()
  t.same(
    f.calls.map(({ key }) => key),
    ['c'],
    'the rest follows, and nothing twice',
  )
})

t.test('a service that hangs holds up no prefetch of another kind', async (t) => {
  const f = createFixture({ limits: { prefetchConcurrency: 1, prefetchSpreadMs: 0 } })
  for (const key of ['a', 'b']) f.credentials.prefetch(f.spec(key), pod('p'))
  f.credentials.prefetch(f.spec('c', { kind: 'other-token' }), pod('p'))
  await settle()
  t.same(
    f.calls.map(({ key }) => key),
    ['a', 'c'],
  )
})

t.test('prefetches leave the queue with their pod', async (t) => {
  const f = createFixture({ limits: { prefetchConcurrency: 1, prefetchSpreadMs: 0 } })
  for (const uid of ['p', 'q', 'r']) f.credentials.prefetch(f.spec('a', { shareBy: 'pod' }), pod(uid))
  const first = await f.call()
  f.credentials.podGone('q')
  f.credentials.podGone('p')
  t.ok(first.context.signal.aborted)
  const second = await f.call()
  t.equal(second.context.holder.uid, 'r', 'an ended flight makes room for the next')
  second.grant()
  await settle()
  t.equal(f.credentials.size, 1)
})

t.test('prefetches after a start are spread, later ones begin at once', async (t) => {
  const f = createFixture({ limits: { prefetchSpreadMs: 2_000 } })
  f.credentials.prefetch(f.spec('a'), pod('p'))
  await f.clock.advance(999)
  t.equal(f.calls.length, 0)
  await f.clock.advance(1)
  t.equal(f.calls.length, 1)
  await f.clock.advance(30_000)
  f.calls.splice(0)
  f.credentials.prefetch(f.spec('b'), pod('p'))
  await settle()
  t.equal(f.calls.length, 1)
})

t.test('prefetches of pods that are about to start are never spread', async (t) => {
  const f = createFixture({ limits: { prefetchSpreadMs: 2_000 } })
  f.credentials.prefetch(f.spec('a'), pod('p'), true)
  await settle()
  t.equal(f.calls.length, 1)
  f.credentials.prefetch(f.spec('b'), pod('p'))
  await settle()
  t.equal(f.calls.length, 1)
  f.credentials.prefetch(f.spec('b'), pod('q'), true)
  await settle()
  t.equal(f.calls.length, 2, 'whoever needs it first decides')
})

t.test('a prefetch that fails is tried again while its pod lives, one that is refused is not', async (t) => {
  const f = createFixture({ limits: { prefetchSpreadMs: 0 } })
  f.credentials.prefetch(f.spec('a'), pod('p'))
  f.credentials.prefetch(f.spec('b'), pod('q'))
  ;(await f.call()).fail(failure('EXCHANGE_UNAVAILABLE', true))
  ;(await f.call()).fail(failure('EXCHANGE_REFUSED', false))
  await f.clock.advance(60_000)
  t.same(new Set(f.calls.map(({ key }) => key)), new Set(['a']))
  t.equal(f.credentials.size, 1)
  f.credentials.podGone('p')
  await settle()
  t.equal(f.credentials.size, 0)
  t.equal(f.clock.pending, 0)
})

t.test('prefetch never throws, whatever the bound', async (t) => {
  const f = createFixture({ limits: { entriesPerPod: 1, prefetchSpreadMs: 0 } })
  f.credentials.prefetch(f.spec('a'), pod('p'))
  f.credentials.prefetch(f.spec('b'), pod('p'))
  const call = await f.call()
  t.equal(call.key, 'a')
  call.grant()
  await settle()
  f.credentials.prefetch(f.spec('a'), pod('p'))
  t.equal(f.calls.length, 0, 'what is there already is not obtained again')
  t.equal(
    await codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline(HOUR))).then((value) => typeof value),
    'object',
  )
})
