import fc from 'fast-check'
import t from 'tap'
import { failureAfter, isRefusal } from '../../src/credentials/failure-memory.ts'
import { startFlight } from '../../src/credentials/flight.ts'
import { createGonePods } from '../../src/credentials/gone-pods.ts'
import { lifeOf } from '../../src/credentials/schedule.ts'
import { createTurnstile } from '../../src/credentials/turnstile.ts'
import { waitFor } from '../../src/credentials/wait-for.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { createFixture, failure } from './fixture.ts'

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

t.test(
  'whatever its life, a credential is fresh for half of it or more, and renewed while it is',
  async (t) => {
    const { spec } = createFixture()
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 1e12 }),
        fc.nat(1e10),
        fraction,
        (whole, minimumRemainingMs, random) => {
          const life = lifeOf(
            spec('a', { minimumRemainingMs }),
            { expiresAt: 5_000 + whole, digest: '' },
            5_000,
            () => random,
          )!
          const fresh = life.freshUntil - 5_000
          const renew = life.renewAt - 5_000
          // What is divided by 1.1 and multiplied by it may come out a rounding above what it was.
          const rounded = 1 + 1e-12
          return (
            fresh <= whole - 1_000 &&
            fresh >= Math.min(whole / 2, whole - 1_000) &&
            renew >= Math.min(0.4 * whole, 1_000) &&
            renew <= Math.max(0.55 * whole, 1_000) * rounded &&
            renew <= Math.max(fresh, 1_000) * rounded
          )
        },
      ),
    )
    t.pass('for every life and minimum')
  },
)

t.test('the end of one pod is never a refusal for the others', async (t) => {
  for (const alive of [true, false]) t.notOk(isRefusal(failure('SUBJECT_TOKEN_POD_GONE', false), alive))
  t.ok(isRefusal(failure('SUBJECT_TOKEN_REFUSED', false), false))
})

t.test('pauses after failures grow to their bounds and no further', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(1e6), fraction, (failures, retryAfterMs, random) => {
      let memory = failureAfter(undefined, failure('EXCHANGE_THROTTLED', true, retryAfterMs), 0, () => random)
      for (let count = 1; count < failures; count++) {
        memory = failureAfter(memory, memory.error, 0, () => random)
      }
      const least = Math.min(5_000, Math.max(50, retryAfterMs))
      return (
        memory.count === failures &&
        memory.retryAt >= least &&
        memory.retryAt <= 5_000 &&
        memory.renewAt >= Math.max(1_000, memory.retryAt) &&
        memory.renewAt <= 60_000
      )
    }),
  )
  t.pass('for every number of failures')
})

t.test('pods that went are remembered for a while, and only so many', async (t) => {
  const gone = createGonePods(10, 2)
  gone.add('a', 0)
  gone.add('b', 5)
  t.ok(gone.has('a', 9))
  t.notOk(gone.has('a', 10))
  t.notOk(gone.has('never', 0))
  gone.add('c', 6)
  t.same(
    ['a', 'b', 'c'].map((uid) => gone.has(uid, 6)),
    [false, true, true],
  )
  gone.add('b', 12)
  t.ok(gone.has('b', 21), 'from its last end on')
})

t.test('a turnstile lets through in order, so many at a time, each once', async (t) => {
  const inside: string[] = []
  const turnstile = createTurnstile<string>(2, (item) => inside.push(item))
  for (const item of ['a', 'b', 'c', 'd', 'c', 'e']) turnstile.add(item)
  t.same(inside, ['a', 'b'])
  turnstile.remove('d')
  turnstile.leave()
  turnstile.leave()
  turnstile.leave()
  t.same(inside, ['a', 'b', 'c', 'e'])
})

t.test('a flight that is aborted before it begins asks for nothing, and ends once', async (t) => {
  for (const delayMs of [0, 100]) {
    const clock = new FakeClock()
    const seen: string[] = []
    const flight = startFlight({
      clock,
      reason: 'request',
      delayMs,
      deadlineMs: 1_000,
      obtain: async () => {
        seen.push('obtain')
        throw failure('EXCHANGE_REFUSED', false)
      },
      landed: () => void seen.push('landed'),
      ended: () => void seen.push('ended'),
    })
    const reason = failure('CALLER_CHANGED', true)
    flight.abort(reason)
    flight.abort(failure('CALLER_NOT_READY', true))
    t.equal(await flight.outcome, reason)
    await settle()
    t.same(seen, ['ended'])
    t.equal(clock.pending, 0)
  }
})

t.test('waiting leaves nothing on the signal', async (t) => {
  const counts = { added: 0, removed: 0 }
  const { signal } = new AbortController()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    counts.added++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    counts.removed++
    remove(...args)
  }
  t.equal(await waitFor(Promise.resolve('value'), signal), 'value')
  t.same(counts, { added: 1, removed: 1 })
  t.equal(await waitFor(new Promise(() => {}), AbortSignal.abort()), undefined)
})
