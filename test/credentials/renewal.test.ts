import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { codeOf, createFixture, failure, HOUR, pod } from './fixture.ts'

const MINUTE = 60_000

/** A cache with one credential of an hour in use by pod `p`. */
async function inUse() {
  const f = createFixture()
  const spec = f.spec('a')
  const answer = f.credentials.get(spec, pod('p'), f.deadline())
  const first = (await f.call()).grant()
  await answer
  return {
    ...f,
    spec,
    another: f.spec,
    first,
    ask: (ms?: number) => codeOf(f.credentials.get(spec, pod('p'), f.deadline(ms))),
  }
}

t.test('a credential in use is renewed at half of its life, before anybody asks', async (t) => {
  const f = await inUse()
  await f.clock.advance(30 * MINUTE - 1)
  t.equal(f.calls.length, 0)
  await f.clock.advance(1)
  const call = await f.call()
  t.equal(f.credentials.peek(f.spec, pod('p')), f.first, 'the old one is served meanwhile')
  const second = call.grant()
  await settle()
  t.equal(f.credentials.peek(f.spec, pod('p')), second)
  await f.clock.advance(30 * MINUTE)
  t.equal(f.calls.length, 1, 'and so on')
})

t.test(
  'one that nobody asked for again is not renewed, is served until it ends, and is then forgotten',
  async (t) => {
    const f = await inUse()
    await f.clock.advance(30 * MINUTE)
    const second = (await f.call()).grant()
    await settle()
    await f.clock.advance(HOUR - 1)
    t.equal(f.calls.length, 0)
    t.equal(f.credentials.size, 1)
    await f.clock.advance(1)
    t.equal(f.credentials.size, 0)
    t.equal(f.clock.pending, 0)
    t.ok(second.expiresAt <= f.clock.now())
  },
)

t.test('one that is asked for again late in its life is renewed at once', async (t) => {
  const f = createFixture()
  f.credentials.prefetch(f.spec('a'), pod('p'))
  await f.clock.advance(1_000)
  const first = (await f.call()).grant()
  await f.clock.advance(40 * MINUTE)
  t.equal(f.calls.length, 0, 'a prefetched one that nobody asks for is left alone')
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), first)
  const second = (await f.call()).grant()
  await settle()
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), second)
})

t.test(
  'a renewal that fails for a transient reason is tried again, and the old one served meanwhile',
  async (t) => {
    const f = await inUse()
    await f.clock.advance(30 * MINUTE)
    const gaps: number[] = []
    let last = f.clock.now()
    for (let attempt = 0; attempt < 9; attempt++) {
      const call = await f.call()
      gaps.push(f.clock.now() - last)
      last = f.clock.now()
      call.fail(failure('EXCHANGE_UNAVAILABLE', true))
      await settle()
      t.equal(f.credentials.peek(f.spec, pod('p')), f.first)
      while (f.calls.length === 0) await f.clock.advance(500)
    }
    for (const [index, gap] of gaps.entries()) {
      if (index > 0) t.ok(gap >= 1_000 && gap <= 60_000, `gap ${gap}`)
      if (index > 1) t.ok(gap >= gaps[index - 1]!, 'gaps grow')
    }
    const second = (await f.call()).grant()
    await settle()
    t.equal(f.credentials.peek(f.spec, pod('p')), second)
  },
)

t.test('below the minimum a request waits for the renewal, and has the old one if that fails', async (t) => {
  const f = await inUse()
  await f.clock.advance(30 * MINUTE)
  const renewal = await f.call()
  renewal.fail(failure('EXCHANGE_UNAVAILABLE', true))
  await settle()
  // Held up until little is left: every renewal on the way fails.
  while (f.first.expiresAt - f.clock.now() >= 360_000) {
    await f.clock.advance(1_000)
    for (const call of f.calls.splice(0)) call.fail(failure('EXCHANGE_UNAVAILABLE', true))
  }
  await f.clock.advance(5_000)
  for (const call of f.calls.splice(0)) call.fail(failure('EXCHANGE_UNAVAILABLE', true))
  await f.clock.advance(5_001)
  t.equal(f.credentials.peek(f.spec, pod('p')), undefined, 'no longer given without a thought')

  const failed = f.ask()
  ;(await f.call()).fail(failure('EXCHANGE_UNAVAILABLE', true))
  t.equal(await failed, f.first)
  t.equal(await f.ask(), f.first, 'at once while the upstream rests')
  t.equal(f.calls.length, 0)

  await f.clock.advance(5_001)
  for (const call of f.calls.splice(0)) call.fail(failure('EXCHANGE_UNAVAILABLE', true))
  await f.clock.advance(5_001)
  const late = f.ask(900)
  const call = await f.call()
  await f.clock.advance(900)
  t.equal(await late, f.first, 'at the deadline too')
  t.equal(await f.count('stale'), 3)

  const waiting = f.ask(900)
  const second = call.grant()
  t.equal(await waiting, second)
})

t.test('the old one is served until its end and not a second longer', async (t) => {
  const f = await inUse()
  const end = f.first.expiresAt
  while (f.clock.now() < end - 20_000) {
    await f.clock.advance(10_000)
    for (const call of f.calls.splice(0)) call.fail(failure('EXCHANGE_UNAVAILABLE', true))
  }
  await f.clock.advance(end - 1_000 - f.clock.now())
  const last = f.ask()
  await settle()
  for (const call of f.calls.splice(0)) call.fail(failure('EXCHANGE_UNAVAILABLE', true))
  t.equal(await last, f.first)
  await f.clock.advance(1)
  const answer = f.ask(100)
  await f.clock.advance(100)
  t.not(await answer, f.first)
})

t.test('a renewal that is refused ends the credential at once', async (t) => {
  const f = await inUse()
  await f.clock.advance(30 * MINUTE)
  ;(await f.call()).fail(failure('EXCHANGE_REFUSED', false))
  await settle()
  t.equal(f.credentials.peek(f.spec, pod('p')), undefined)
  t.equal(await f.ask(), 'EXCHANGE_REFUSED')
  t.equal(f.calls.length, 0)
})

t.test('a renewal for which the daemon could get no pod token leaves the credential alone', async (t) => {
  const f = await inUse()
  await f.clock.advance(30 * MINUTE)
  ;(await f.call()).fail(failure('SUBJECT_TOKEN_REFUSED', false))
  await settle()
  t.equal(f.credentials.peek(f.spec, pod('p')), f.first)
})

t.test('a renewal is made in the name of a pod that is alive', async (t) => {
  const f = await inUse()
  t.equal(await f.credentials.get(f.spec, pod('q'), f.deadline()), f.first)
  f.credentials.podGone('q')
  t.equal(await f.credentials.get(f.spec, pod('r'), f.deadline()), f.first)
  f.credentials.podGone('p')
  await f.clock.advance(30 * MINUTE)
  t.equal((await f.call()).context.holder.uid, 'r')
})

t.test('if that pod turns out to be gone, one other is tried', async (t) => {
  const f = await inUse()
  await f.credentials.get(f.spec, pod('q'), f.deadline())
  await f.clock.advance(30 * MINUTE)
  const first = await f.call()
  t.equal(first.context.holder.uid, 'q', 'the last that asked')
  first.fail(failure('SUBJECT_TOKEN_POD_GONE', false))
  const second = await f.call()
  t.equal(second.context.holder.uid, 'p')
  const given = second.grant()
  await settle()
  t.equal(f.credentials.peek(f.spec, pod('q')), given)
  t.equal(f.lines.at(-1)?.fields.podUid, 'p')
})

t.test('an attempt that was put off is made in the name of a pod that is still there', async (t) => {
  const f = await inUse()
  const spec = f.another('b')
  const failed = codeOf(f.credentials.get(spec, pod('p'), f.deadline()))
  ;(await f.call()).fail(failure('EXCHANGE_UNAVAILABLE', true))
  await failed
  const mine = codeOf(f.credentials.get(spec, pod('p'), f.deadline()))
  const yours = f.credentials.get(spec, pod('q'), f.deadline())
  f.credentials.podGone('p')
  await f.clock.advance(100)
  const call = await f.call()
  t.equal(call.context.holder.uid, 'q')
  const given = call.grant()
  t.equal(await yours, given)
  t.equal(await mine, 'CALLER_CHANGED')
})

t.test('a pod that is gone costs the others nothing', async (t) => {
  const f = await inUse()
  await f.clock.advance(30 * MINUTE)
  ;(await f.call()).fail(failure('SUBJECT_TOKEN_POD_GONE', false))
  await settle()
  t.equal(f.credentials.peek(f.spec, pod('p')), f.first, 'not even while it was the only one')
  const fresh = f.another('b')
  const gone = codeOf(f.credentials.get(fresh, pod('p'), f.deadline()))
  ;(await f.call()).fail(failure('SUBJECT_TOKEN_POD_GONE', false))
  t.equal(await gone, 'SUBJECT_TOKEN_POD_GONE')
  const other = f.credentials.get(fresh, pod('q'), f.deadline())
  await f.clock.advance(100)
  const call = await f.call()
  t.equal(call.context.holder.uid, 'q')
  const given = call.grant()
  t.equal(await other, given)
})

t.test('an hour with a minimum of an hour is fresh for half of it, and renewed while it is', async (t) => {
  const f = createFixture()
  const spec = f.spec('a', { minimumRemainingMs: 2 * HOUR })
  const answer = f.credentials.get(spec, pod('p'), f.deadline())
  const first = (await f.call()).grant()
  await answer
  await f.clock.advance(28 * MINUTE)
  t.ok(f.calls.length > 0, 'renewed early enough')
  t.equal(f.credentials.peek(spec, pod('p')), first)
})
