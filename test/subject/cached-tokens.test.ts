import t from 'tap'
import { Secret } from '../../src/lib/secret.ts'
import { cachedTokens } from '../../src/subject/cached-tokens.ts'
import type { SubjectToken, SubjectTokenRequest } from '../../src/subject/subject-tokens.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { subjectPod } from './subject-pod.ts'

const never = new AbortController().signal
const request: SubjectTokenRequest = {
  pod: subjectPod(),
  serviceAccountUid: 'sa-1',
  audience: 'aud',
  expirationSeconds: 3600,
}

interface Call {
  signal: AbortSignal
  give(name: string, lifeMs?: number): void
  fail(): void
}

function setUp() {
  const clock = new FakeClock()
  const calls: Call[] = []
  const tokens = cachedTokens({
    clock,
    tokens: {
      get(_, signal) {
        const { promise, resolve, reject } = Promise.withResolvers<SubjectToken>()
        signal.addEventListener('abort', () => reject(signal.reason))
        calls.push({
          signal,
          give: (name, lifeMs = 3_600_000) =>
            resolve({ token: new Secret(name), expiresAt: clock.now() + lifeMs }),
          fail: () => reject(new Error('no')),
        })
        return promise
      },
    },
  })
  return { clock, calls, tokens }
}

async function value(promise: Promise<SubjectToken>): Promise<string> {
  return (await promise).token.reveal()
}

t.test('a token is used again until half of its life is over', async (t) => {
  const { clock, calls, tokens } = setUp()
  const first = tokens.get(request, never)
  await clock.advance(0)
  calls[0]!.give('one')
  t.equal(await value(first), 'one')
  await clock.advance(1_799_000)
  t.equal(await value(tokens.get(request, never)), 'one')
  await clock.advance(1_000)
  const second = tokens.get(request, never)
  await clock.advance(0)
  calls[1]!.give('two')
  t.equal(await value(second), 'two')
  t.equal(clock.pending, 0, 'no timer is left')
})

t.test('a caller that leaves cancels nothing for the others', async (t) => {
  const { clock, calls, tokens } = setUp()
  const leaver = new AbortController()
  const left = tokens.get(request, leaver.signal)
  const stays = tokens.get(request, never)
  await clock.advance(0)
  leaver.abort()
  await t.rejects(left, { code: 'SUBJECT_TOKEN_UNAVAILABLE', retryable: true })
  calls[0]!.give('one')
  t.equal(await value(stays), 'one')
  t.equal(calls.length, 1)
  await t.rejects(tokens.get({ ...request, audience: 'b' }, AbortSignal.abort()), {
    code: 'SUBJECT_TOKEN_UNAVAILABLE',
  })
})

t.test('a failure is not kept, and a flight has an end', async (t) => {
  const { clock, calls, tokens } = setUp()
  const failing = tokens.get(request, never)
  await clock.advance(0)
  calls[0]!.fail()
  await t.rejects(failing, { message: 'no' })
  const hanging = tokens.get(request, never)
  hanging.catch(() => {})
  await clock.advance(15_000)
  await t.rejects(hanging)
  t.equal(calls.length, 2)
  const third = tokens.get(request, never)
  await clock.advance(0)
  calls[2]!.give('three')
  t.equal(await value(third), 'three')
})

t.test('a renewal joins no older flight, and its token is the one that is kept', async (t) => {
  const { clock, calls, tokens } = setUp()
  const old = tokens.get(request, never)
  await clock.advance(0)
  const renewed = tokens.get({ ...request, renew: true }, never)
  const joined = [tokens.get({ ...request, renew: true }, never), tokens.get(request, never)]
  await clock.advance(0)
  t.equal(calls.length, 2)
  calls[1]!.give('new')
  t.strictSame(await Promise.all([renewed, ...joined].map(value)), ['new', 'new', 'new'])
  calls[0]!.give('old')
  t.equal(await value(old), 'old')
  t.equal(await value(tokens.get(request, never)), 'new')
})

t.test("forgetting a pod ends its flights and drops its tokens, and nobody else's", async (t) => {
  const { clock, calls, tokens } = setUp()
  const other = { ...request, pod: subjectPod({ uid: 'uid-10' }) }
  const kept = tokens.get(other, never)
  await clock.advance(0)
  calls[0]!.give('kept')
  await kept
  const flying = tokens.get(request, never)
  flying.catch(() => {})
  await clock.advance(0)
  tokens.forget('uid-1')
  t.equal(calls[1]!.signal.aborted, true)
  await t.rejects(flying, { code: 'SUBJECT_TOKEN_POD_GONE' })
  t.equal(await value(tokens.get(other, never)), 'kept')
  const again = tokens.get(request, never)
  await clock.advance(0)
  calls[2]!.give('again')
  t.equal(await value(again), 'again')
})

t.test('what is kept is bounded', async (t) => {
  const { clock, calls, tokens } = setUp()
  for (let i = 0; i < 2049; i += 1) {
    const got = tokens.get({ ...request, audience: `a${i}` }, never)
    await Promise.resolve()
    await Promise.resolve()
    calls[i]!.give(`t${i}`)
    await got
  }
  const first = tokens.get({ ...request, audience: 'a0' }, never)
  await clock.advance(0)
  t.equal(calls.length, 2050, 'the oldest was dropped')
  calls[2049]!.give('t')
  await first
})
