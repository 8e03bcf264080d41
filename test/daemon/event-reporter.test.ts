import fc from 'fast-check'
import t from 'tap'
import { createEventReporter } from '../../src/daemon/event-reporter.ts'
import type { PodEvent } from '../../src/kubernetes/pod-event.ts'
import { kubernetesError } from '../../src/kubernetes/status-error.ts'
import { type ErrorCode, type Fault, MetadatadError } from '../../src/lib/errors.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'

interface Refusal {
  readonly code?: ErrorCode
  readonly fault?: Fault
  readonly publicMessage?: string
}

function refusal(change: Refusal = {}): MetadatadError {
  const { code = 'EXCHANGE_REFUSED', ...details } = change
  return new MetadatadError(code, 'iam refused', {
    fault: 'policy',
    retryable: false,
    publicMessage: 'Grant the role.',
    ...details,
  })
}

function reporter() {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const calls: (PodEvent & { readonly known: boolean; readonly at: number })[] = []
  const logged: Record<string, unknown>[] = []
  let answer: (event: PodEvent) => Promise<number> = async () => 0
  const events = createEventReporter({
    write(event, known) {
      calls.push({ ...event, known, at: clock.now() })
      return answer(event)
    },
    clock,
    log: createLog('debug', { write: (line) => logged.push(JSON.parse(line)) }),
    metrics,
  })
  return {
    clock,
    calls,
    logged,
    events,
    failWith: (error: Error) => {
      answer = async () => {
        throw error
      }
    },
    answerBy: (how: (event: PodEvent) => Promise<number>) => {
      answer = how
    },
    outcomes: (outcome: string) =>
      metrics.events
        .get()
        .then(({ values }) => values.find(({ labels }) => labels.outcome === outcome)?.value),
  }
}

const pod = (name: string) => ({ namespace: 'ns', name, uid: `uid-${name}` })
const call = { verb: 'create', resource: 'events' }

t.test('a pod in a loop costs one call, and ever fewer that raise the count', async (t) => {
  const { clock, calls, events } = reporter()
  const start = clock.now()
  for (let i = 0; i < 100; i++) events.report(pod('a'), refusal())
  await clock.advance(0)
  t.match(calls, [
    {
      pod: pod('a'),
      reason: 'ExchangeRefused',
      message: 'Grant the role.',
      count: 100,
      firstAt: start,
      known: false,
    },
  ])
  for (let second = 1; second <= 3_600; second++) {
    await clock.advance(1_000)
    events.report(pod('a'), refusal())
  }
  await clock.advance(600_000)
  const waits = calls.slice(1).map(({ at }, i) => (at - calls[i]!.at) / 1_000)
  t.strictSame(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600, 600].slice(0, waits.length))
  t.ok(calls.length <= 14)
  t.ok(calls.slice(1).every(({ known }) => known))
  const last = calls.at(-1)!
  t.equal(last.count, 3_700, 'the last count is written though nothing happens any more')
  t.equal(last.firstAt, start)
  t.equal(last.lastAt, start + 3_600_000)
  t.equal(clock.pending, 0)
})

t.test('what happened once is written once', async (t) => {
  const { clock, calls, events } = reporter()
  events.report(pod('a'), refusal())
  await clock.advance(3_600_000)
  t.equal(calls.length, 1)
})

t.test('what differs by message is told apart: a pod may be refused by two clouds', async (t) => {
  const { clock, calls, events } = reporter()
  for (const cloud of ['AWS', 'Azure', 'AWS'])
    events.report(pod('a'), refusal({ publicMessage: `Correct the ${cloud} annotation.` }))
  await clock.advance(0)
  t.match(calls, [
    { message: 'Correct the AWS annotation.', count: 2 },
    { message: 'Correct the Azure annotation.', count: 1 },
  ])
})

t.test('a pod that replaces another of its name is told for itself', async (t) => {
  const { clock, calls, events } = reporter()
  events.report(pod('a'), refusal())
  events.report({ ...pod('a'), uid: 'another' }, refusal())
  await clock.advance(0)
  t.strictSame(
    calls.map(({ pod, count }) => [pod.uid, count]),
    [
      ['uid-a', 1],
      ['another', 1],
    ],
  )
})

t.test('what is not for the owners of policy to mend is not for events', async (t) => {
  const { clock, calls, events } = reporter()
  for (const fault of ['caller', 'upstream', 'ours'] as const) events.report(pod('a'), refusal({ fault }))
  await clock.advance(60_000)
  t.same(calls, [])
})

t.test('a pod whose refusals are all different is told ten, and later others', async (t) => {
  const { clock, calls, events, outcomes } = reporter()
  const different = (n: number) => refusal({ publicMessage: `No ${n}.` })
  for (let n = 0; n < 50; n++) events.report(pod('a'), different(n))
  await clock.advance(0)
  t.equal(calls.length, 10)
  t.equal(await outcomes('dropped'), 40)
  await clock.advance(600_000)
  events.report(pod('a'), different(50))
  await clock.advance(0)
  t.equal(calls.at(-1)?.message, 'No 50.')
})

t.test('pods with ever new refusals keep no other pod waiting', async (t) => {
  const { clock, calls, events, outcomes } = reporter()
  for (let i = 0; i < 110; i++)
    for (let n = 0; n < 10; n++) events.report(pod(`p${i}`), refusal({ publicMessage: `No ${n}.` }))
  await clock.advance(240_000)
  t.equal(new Set(calls.map(({ pod }) => pod.name)).size, 110)
  events.report(pod('another'), refusal())
  await clock.advance(4_000)
  t.ok(calls.some(({ pod }) => pod.name === 'another'))
  t.notOk(await outcomes('dropped'))
})

t.test('the pods of a whole node are all told within three minutes, repetitions last', async (t) => {
  const { clock, calls, events } = reporter()
  const start = clock.now()
  for (let second = 0; second < 180; second++) {
    for (let i = 0; i < 110; i++) events.report(pod(`p${i}`), refusal())
    await clock.advance(1_000)
    if (second === 0) t.equal(calls.length, 25, 'the burst')
  }
  t.equal(new Set(calls.map(({ pod }) => pod.name)).size, 110)
  t.strictSame(
    calls.slice(0, 110).filter(({ known }) => known),
    [],
  )
  t.ok(calls.length <= 25 + 90, 'no more than the bucket holds')
  t.ok(calls.every(({ at }) => at >= start))
})

t.test('one write is under way at a time, and what happens meanwhile is counted', async (t) => {
  const { clock, calls, events, answerBy } = reporter()
  const { promise, resolve } = Promise.withResolvers<number>()
  answerBy(() => promise)
  for (const name of ['a', 'b', 'a']) events.report(pod(name), refusal())
  await clock.advance(0)
  events.report(pod('a'), refusal())
  await clock.advance(60_000)
  t.match(calls, [{ pod: pod('a'), count: 2 }])
  t.equal(calls.length, 1)
  answerBy(async () => 0)
  resolve(0)
  await clock.advance(5_000)
  t.match(calls.slice(1), [
    { pod: pod('b'), known: false },
    { pod: pod('a'), count: 3, known: true },
  ])
})

t.test('the count of the daemon before is gone on from', async (t) => {
  const { clock, calls, events, answerBy } = reporter()
  answerBy(async () => 40)
  events.report(pod('a'), refusal())
  await clock.advance(0)
  answerBy(async () => 0)
  await clock.advance(5_000)
  t.match(calls, [
    { count: 1, known: false },
    { count: 41, known: true },
  ])
  await clock.advance(3_600_000)
  t.equal(calls.length, 2)
})

t.test('while the API server is out of reach a write is tried a few times, ever more seldom', async (t) => {
  const { clock, calls, events, failWith, outcomes } = reporter()
  failWith(kubernetesError('KUBERNETES_UNAVAILABLE', call, 'no answer in time'))
  events.report(pod('a'), refusal())
  await clock.advance(24 * 3_600_000)
  t.equal(calls.length, 6)
  t.equal(await outcomes('KUBERNETES_UNAVAILABLE'), 6)
  t.equal(clock.pending, 0)
  events.report(pod('a'), refusal())
  await clock.advance(0)
  t.match(calls.at(-1), { count: 2, known: false }, 'what happens again is tried again')
})

t.test('a busy API server is given the time it asks for', async (t) => {
  const { clock, calls, events, failWith } = reporter()
  failWith(kubernetesError('KUBERNETES_UNAVAILABLE', call, '429', { retryAfterMs: 30_000 }))
  events.report(pod('a'), refusal())
  await clock.advance(29_999)
  t.equal(calls.length, 1)
  await clock.advance(1)
  t.equal(calls.length, 2)
})

t.test(
  'an event that the API server refuses is not tried again for ten minutes, nor holds up others',
  async (t) => {
    const { clock, calls, events, answerBy, logged, outcomes } = reporter()
    const terminating = kubernetesError('KUBERNETES_FORBIDDEN', call, 'because it is being terminated')
    answerBy(async ({ pod }) => {
      if (pod.name === 'a') throw terminating
      return 0
    })
    events.report(pod('a'), refusal())
    events.report(pod('b'), refusal())
    for (let second = 1; second < 600; second++) {
      await clock.advance(1_000)
      events.report(pod('a'), refusal())
    }
    t.strictSame(
      calls.map(({ pod }) => pod.name),
      ['a', 'b'],
    )
    t.match(logged, [{ msg: 'event not written', pod: 'ns/a', err: { code: 'KUBERNETES_FORBIDDEN' } }])
    t.equal(await outcomes('KUBERNETES_FORBIDDEN'), 1)
    await clock.advance(1_000)
    t.match(calls.at(-1), { pod: pod('a'), known: false })
  },
)

t.test('a defect of the writer harms nothing', async (t) => {
  const { clock, events, failWith, outcomes } = reporter()
  failWith(new Error('never'))
  events.report(pod('a'), refusal())
  await clock.advance(0)
  t.equal(await outcomes('INTERNAL'), 1)
})

t.test('a refused identity is logged once in ten minutes for each message', async (t) => {
  const { clock, events, logged } = reporter()
  const invalid = (publicMessage: string) => refusal({ code: 'IDENTITY_INVALID', publicMessage })
  for (let i = 0; i < 5; i++)
    for (const message of ['One.', 'Two.']) events.report(pod('a'), invalid(message))
  t.strictSame(
    logged.map(({ msg, reason }) => [msg, reason]),
    [
      ['identity refused', 'One.'],
      ['identity refused', 'Two.'],
    ],
  )
  await clock.advance(600_000)
  events.report(pod('a'), invalid('Two.'))
  t.equal(logged.length, 3)
})

t.test('after its close it writes nothing and leaves no timer', async (t) => {
  const { clock, calls, events, failWith, logged, answerBy } = reporter()
  const { promise, reject } = Promise.withResolvers<number>()
  answerBy(() => promise)
  events.report(pod('a'), refusal())
  await clock.advance(0)
  events.report(pod('b'), refusal())
  events.close()
  events.report(pod('c'), refusal())
  failWith(new Error('never asked'))
  reject(kubernetesError('KUBERNETES_UNAVAILABLE', call, 'the client is closed'))
  await clock.advance(3_600_000)
  t.equal(calls.length, 1)
  t.same(logged, [])
  t.equal(clock.pending, 0)
})

t.test('whatever is reported and however it fails, the last write has the last count', async (t) => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    message: fc.constantFrom('One.', 'Two.'),
    waitMs: fc.integer({ min: 0, max: 20_000 }),
    fails: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const { clock, calls, events, answerBy } = reporter()
      const written = new Map<string, number>()
      let fails = false
      answerBy(async ({ pod, message, count }) => {
        if (fails) throw kubernetesError('KUBERNETES_UNAVAILABLE', call, 'no answer in time')
        written.set(`${pod.name} ${message}`, count)
        return 0
      })
      const happened = new Map<string, number>()
      const report = (name: string, publicMessage: string) => {
        events.report(pod(name), refusal({ publicMessage }))
        const key = `${name} ${publicMessage}`
        happened.set(key, (happened.get(key) ?? 0) + 1)
      }
      for (const { name, message, waitMs, ...now } of steps) {
        fails = now.fails
        report(name, message)
        await clock.advance(waitMs)
      }
      fails = false
      // Once more of each: six failures in a row end the tries until it happens again.
      for (const key of [...happened.keys()]) report(key.charAt(0), key.slice(2))
      await clock.advance(3_600_000)
      t.strictSame(Object.fromEntries(written), Object.fromEntries(happened))
      const start = Math.min(...calls.map(({ at }) => at))
      for (const { at } of calls) {
        const until = calls.filter((it) => it.at <= at).length
        if (until > 25 + (at - start) / 2_000 + 1) throw new Error('faster than the bucket')
      }
      return clock.pending === 0
    }),
    { numRuns: 50 },
  )
})
