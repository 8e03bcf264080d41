import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { codeOf, createFixture, failure, HOUR, pod } from './fixture.ts'

t.test('a thousand requests at once share one call, and each has its credential', async (t) => {
  const f = createFixture()
  const answers = Array.from({ length: 1000 }, () => f.credentials.get(f.spec('a'), pod('p'), f.deadline()))
  const given = (await f.call()).grant()
  for (const answer of await Promise.all(answers)) t.equal(answer, given)
  await settle()
  t.equal(f.calls.length, 0, 'no second call')
  t.equal(f.clock.pending, 1 + 1000, 'one timer of the cache beside those of the deadlines')
  t.equal(await f.count('miss'), 1)
  t.equal(await f.count('joined'), 999)
})

t.test('pods of one ServiceAccount share a credential, those of two never do', async (t) => {
  const f = createFixture()
  const first = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
  const given = (await f.call()).grant()
  await first
  t.equal(f.credentials.peek(f.spec('a'), pod('q')), undefined, 'not before it was asked for')
  t.equal(await f.credentials.get(f.spec('a'), pod('q'), f.deadline()), given)
  t.equal(f.credentials.peek(f.spec('a'), pod('q')), given)

  const other = f.credentials.get(f.spec('a'), pod('r', 'other account'), f.deadline())
  const call = await f.call()
  t.equal(call.context.holder.uid, 'r')
  const theirs = call.grant()
  t.equal(await other, theirs)
  t.not(theirs, given)
})

t.test('what names the pod is not shared by the pods of one ServiceAccount', async (t) => {
  const f = createFixture()
  const spec = f.spec('a', { shareBy: 'pod' })
  const mine = f.credentials.get(spec, pod('p'), f.deadline())
  const yours = f.credentials.get(spec, pod('q'), f.deadline())
  const first = await f.call()
  const second = await f.call()
  t.same([first.context.holder.uid, second.context.holder.uid], ['p', 'q'])
  const given = second.grant()
  t.not(await Promise.all([mine, first.grant()]).then(([credential]) => credential), given)
  t.equal(await yours, given)
})

t.test('one that is shared by pods is never taken for one that names its pod', async (t) => {
  const f = createFixture()
  const shared = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
  ;(await f.call()).grant()
  await shared
  const named = f.credentials.get(f.spec('a', { shareBy: 'pod' }), pod('q'), f.deadline())
  const given = (await f.call()).grant()
  t.equal(await named, given)
  const again = f.credentials.get(f.spec('a'), pod('r'), f.deadline())
  t.not(await again, given, 'nor the other way round')
})

t.test('a pod whose ServiceAccount was made anew does not get what the old one had', async (t) => {
  const f = createFixture()
  const before = f.credentials.get(f.spec('a'), pod('p', 'old'), f.deadline())
  ;(await f.call()).grant()
  await before
  t.equal(f.credentials.peek(f.spec('a'), pod('p', 'new')), undefined)
  const after = f.credentials.get(f.spec('a'), pod('p', 'new'), f.deadline())
  const given = (await f.call()).grant()
  t.equal(await after, given)
  t.equal(f.credentials.size, 1, 'the old one went with its last pod')
})

t.test('a request that gives up ends its own wait and nothing else', async (t) => {
  const f = createFixture()
  const deadline = f.deadline(450)
  const hasty = codeOf(f.credentials.get(f.spec('a'), pod('p'), deadline))
  const patient = f.credentials.get(f.spec('a'), pod('p'), f.deadline(900))
  const call = await f.call()
  await f.clock.advance(450)
  t.equal(await hasty, 'CALLER_NOT_READY')
  t.notOk(call.context.signal.aborted)
  const given = call.grant()
  t.equal(await patient, given)
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), given)
})

t.test('a request that has given up before it began still starts what its retry will need', async (t) => {
  const f = createFixture()
  const deadline = f.deadline(0)
  await f.clock.advance(0)
  await t.rejects(f.credentials.get(f.spec('a'), pod('p'), deadline), { code: 'CALLER_NOT_READY' })
  const given = (await f.call()).grant()
  t.equal(await f.credentials.get(f.spec('a'), pod('p'), f.deadline()), given)
})

t.test('a call that never answers is ended by the deadline of the flight', async (t) => {
  const f = createFixture({ limits: { flightMs: 5_000 } })
  const answer = codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline(HOUR)))
  const call = await f.call()
  await f.clock.advance(5_000)
  t.equal(await answer, 'EXCHANGE_UNAVAILABLE')
  t.ok(call.context.signal.aborted)
  call.grant()
  await settle()
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), undefined, 'what comes too late is not kept')
})

t.test('a defect in obtaining is a retryable failure, whether it throws or rejects', async (t) => {
  for (const obtain of [
    () => {
      throw new TypeError('defect')
    },
    () => Promise.reject(new TypeError('defect')),
    () => Promise.resolve(null as never),
  ]) {
    const f = createFixture()
    const answer = f.credentials.get(f.spec('a', { obtain }), pod('p'), f.deadline())
    t.match(await answer.catch((error) => error), { fault: 'ours', retryable: true })
  }
})

t.test('a credential without life, or without an end, is a failure', async (t) => {
  for (const life of [-HOUR, 0, 999, Number.NaN, Number.POSITIVE_INFINITY, 9e15]) {
    const f = createFixture()
    const answer = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
    ;(await f.call()).grant(life)
    await t.rejects(answer, { code: 'EXCHANGE_MALFORMED', retryable: true }, String(life))
    t.equal(f.credentials.peek(f.spec('a'), pod('p')), undefined)
  }
})

t.test('when the last pod goes, the credential goes and its flight is ended', async (t) => {
  const f = createFixture()
  const mine = codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline()))
  const yours = f.credentials.get(f.spec('a'), pod('q'), f.deadline())
  const call = await f.call()
  f.credentials.podGone('p')
  t.notOk(call.context.signal.aborted, 'another pod waits for it')
  const given = call.grant()
  t.equal(await yours, given)
  t.equal(await mine, 'CALLER_CHANGED')
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), undefined)

  const last = codeOf(f.credentials.get(f.spec('b'), pod('q'), f.deadline()))
  const ended = await f.call()
  const before = f.lines.length
  f.credentials.podGone('q')
  t.ok(ended.context.signal.aborted)
  t.equal(await last, 'CALLER_CHANGED')
  t.equal(f.credentials.size, 0)
  ended.grant()
  await settle()
  t.equal(f.credentials.size, 0, 'what arrives afterwards is not kept')
  t.equal(f.lines.length, before, 'or written down')
})

t.test('a pod that goes in the same turn as its credential arrives is not given it', async (t) => {
  const f = createFixture()
  const answer = codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline()))
  f.credentials.get(f.spec('a'), pod('q'), f.deadline()).catch(() => {})
  const call = await f.call()
  call.grant()
  // Runs among the reactions to the call's result.
  for (let turn = 0; turn < 20; turn++) {
    await undefined
    if (f.lines.length > 0) break
  }
  f.credentials.podGone('p')
  t.equal(await answer, 'CALLER_CHANGED')
})

t.test(
  'a request of a pod that has just gone does not bring it back, and a mistaken end mends itself',
  async (t) => {
    const f = createFixture()
    f.credentials.podGone('p')
    await t.rejects(f.credentials.get(f.spec('a'), pod('p'), f.deadline()), {
      code: 'CALLER_CHANGED',
      retryable: true,
    })
    f.credentials.prefetch(f.spec('a'), pod('p'))
    t.equal(f.credentials.size, 0)
    await f.clock.advance(10_000)
    const answer = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
    const given = (await f.call()).grant()
    t.equal(await answer, given)
  },
)

t.test('when the ServiceAccount changes, all that was obtained for it goes', async (t) => {
  const f = createFixture()
  const named = f.spec('named', { shareBy: 'pod' })
  for (const spec of [f.spec('a'), named]) {
    const answer = f.credentials.get(spec, pod('p'), f.deadline())
    ;(await f.call()).grant()
    await answer
  }
  const stranger = f.credentials.get(f.spec('a'), pod('s', 'other account'), f.deadline())
  const kept = (await f.call()).grant()
  await stranger
  const waiting = codeOf(f.credentials.get(f.spec('b'), pod('p'), f.deadline()))
  const call = await f.call()
  f.credentials.serviceAccountChanged('account')
  t.ok(call.context.signal.aborted)
  t.equal(await waiting, 'CALLER_CHANGED')
  t.equal(f.credentials.peek(f.spec('a'), pod('p')), undefined)
  t.equal(f.credentials.peek(named, pod('p')), undefined)
  t.equal(f.credentials.peek(f.spec('a'), pod('s', 'other account')), kept)
  t.equal(f.credentials.size, 1)
})

t.test('a closed cache ends its flights, keeps no timer and refuses what comes', async (t) => {
  const f = createFixture()
  const kept = f.credentials.get(f.spec('kept'), pod('p'), f.deadline())
  ;(await f.call()).grant()
  await kept
  f.credentials.prefetch(f.spec('wanted'), pod('p'))
  const deadline = f.deadline()
  const answer = codeOf(f.credentials.get(f.spec('a'), pod('p'), deadline))
  const call = await f.call()
  f.credentials.close()
  t.equal(await answer, 'CALLER_NOT_READY')
  t.ok(call.context.signal.aborted)
  t.equal(f.credentials.size, 0)
  t.equal(f.credentials.peek(f.spec('kept'), pod('p')), undefined)
  await t.rejects(f.credentials.get(f.spec('kept'), pod('p'), deadline), {
    code: 'CALLER_NOT_READY',
    retryable: true,
  })
  f.credentials.prefetch(f.spec('kept'), pod('p'))
  deadline[Symbol.dispose]()
  await f.clock.advance(900)
  t.equal(f.clock.pending, 0)
  t.equal(f.calls.length, 0)
})

t.test('a refusal is remembered for a short while, and only a refusal', async (t) => {
  const f = createFixture()
  const ask = (uid = 'p') => f.credentials.get(f.spec('a'), pod(uid), f.deadline())
  const first = codeOf(ask())
  const second = codeOf(ask('q'))
  ;(await f.call()).fail(failure('EXCHANGE_REFUSED', false))
  t.same(await Promise.all([first, second]), ['EXCHANGE_REFUSED', 'EXCHANGE_REFUSED'])
  await f.clock.advance(9_999)
  t.equal(await codeOf(ask()), 'EXCHANGE_REFUSED')
  t.equal(f.calls.length, 0, 'answered without a call')
  await f.clock.advance(1)
  t.equal(f.credentials.size, 0, 'and forgotten')
  const third = ask()
  const given = (await f.call()).grant()
  t.equal(await third, given)
})

t.test(
  "what a cloud says of one pod's token is not held against the other pods of its ServiceAccount",
  async (t) => {
    const f = createFixture()
    const ask = (uid: string) => f.credentials.get(f.spec('a'), pod(uid), f.deadline())
    const dying = codeOf(ask('p'))
    const joined = ask('q')
    ;(await f.call()).fail(failure('EXCHANGE_MISCONFIGURED', false))
    t.equal(await dying, 'EXCHANGE_MISCONFIGURED')
    const own = await f.call()
    t.equal(own.context.holder.uid, 'q', 'who waited for the other one goes with a token of its own')
    const given = own.grant()
    t.equal(await joined, given)
    t.equal(f.credentials.peek(f.spec('a'), pod('q')), given)
  },
)

t.test('what a cloud has said of the tokens of two pods is answered to all', async (t) => {
  const f = createFixture()
  const ask = (uid: string) => codeOf(f.credentials.get(f.spec('a'), pod(uid), f.deadline()))
  const answers = ['p', 'q', 'r'].map(ask)
  for (const _ of [1, 2]) (await f.call()).fail(failure('EXCHANGE_MISCONFIGURED', false))
  t.same(await Promise.all(answers), Array(3).fill('EXCHANGE_MISCONFIGURED'))
  t.equal(await ask('s'), 'EXCHANGE_MISCONFIGURED')
  f.credentials.prefetch(f.spec('a'), pod('t'))
  await settle()
  t.equal(f.calls.length, 0, 'a third call is not made')
})

t.test('a change of the ServiceAccount ends the memory of a refusal', async (t) => {
  const f = createFixture()
  const refused = codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline()))
  ;(await f.call()).fail(failure('EXCHANGE_REFUSED', false))
  await refused
  f.credentials.serviceAccountChanged('account')
  const answer = f.credentials.get(f.spec('a'), pod('p'), f.deadline())
  const given = (await f.call()).grant()
  t.equal(await answer, given)
})

t.test('after a transient failure requests wait for a growing pause, then one call is made', async (t) => {
  const f = createFixture()
  const ask = (ms: number) => codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline(ms)))
  const first = ask(900)
  ;(await f.call()).fail(failure('EXCHANGE_UNAVAILABLE', true))
  t.equal(await first, 'EXCHANGE_UNAVAILABLE')

  const hasty = ask(50)
  const patient = Array.from({ length: 10 }, () => ask(900))
  await f.clock.advance(74)
  t.equal(await hasty, 'EXCHANGE_UNAVAILABLE', 'the last failure is what there is to say')
  t.equal(f.calls.length, 0)
  await f.clock.advance(1)
  ;(await f.call()).fail(failure('EXCHANGE_THROTTLED', true, 3_000))
  t.same(new Set(await Promise.all(patient)), new Set(['EXCHANGE_THROTTLED']))

  const last = ask(4_000)
  await f.clock.advance(2_999)
  t.equal(f.calls.length, 0, 'the upstream said when to come back')
  await f.clock.advance(1)
  const given = (await f.call()).grant()
  t.equal(await last, given)
})

t.test('an entry that knows only of a failure is forgotten in the end', async (t) => {
  const f = createFixture()
  const answer = codeOf(f.credentials.get(f.spec('a'), pod('p'), f.deadline()))
  ;(await f.call()).fail(failure('EXCHANGE_UNAVAILABLE', true))
  await answer
  t.equal(f.credentials.size, 1)
  await f.clock.advance(60_000)
  t.equal(f.credentials.size, 0)
  t.equal(f.clock.pending, 0)
})
