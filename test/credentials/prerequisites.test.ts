import t from 'tap'
import type { Credential, CredentialSpec, ObtainContext } from '../../src/exchange/credential-spec.ts'
import { settle } from '../support/fake-clock.ts'
import { codeOf, createFixture, failure, HOUR, pod } from './fixture.ts'

/** The interface lets a specification refuse what it was given; see `ObtainContext.credential`. */
type Context = ObtainContext & {
  credential<C extends Credential>(spec: CredentialSpec<C>, renew?: boolean): Promise<C>
}

/** A specification that needs `base` first, and hands it to `use`. */
function dependent(
  f: ReturnType<typeof createFixture>,
  key: string,
  base: CredentialSpec,
  use?: (context: Context, given: Credential) => Promise<unknown>,
): CredentialSpec {
  return f.spec(key, {
    kind: 'dependent',
    async obtain(context) {
      const given = await context.credential(base)
      await use?.(context as Context, given)
      return f.issue()
    },
  })
}

t.test('one prerequisite serves all that are made from it', async (t) => {
  const f = createFixture()
  const base = f.spec('base')
  const answers = ['x', 'y', 'z'].map((key) =>
    f.credentials.get(dependent(f, key, base), pod('p'), f.deadline()),
  )
  ;(await f.call()).grant()
  await Promise.all(answers)
  await f.credentials.get(dependent(f, 'later', base), pod('p'), f.deadline())
  t.equal(f.calls.length, 0)
  t.equal(f.credentials.size, 5)
})

t.test('a prerequisite does not count among the flights its pod may have at one time', async (t) => {
  const f = createFixture({ limits: { flightsPerPod: 1 } })
  const answer = f.credentials.get(dependent(f, 'x', f.spec('base')), pod('p'), f.deadline())
  ;(await f.call()).grant()
  await answer
  t.equal(f.credentials.size, 2)
})

t.test('the prerequisite of a credential in use is kept fresh, that of an idle one is not', async (t) => {
  const f = createFixture()
  const base = f.spec('base')
  f.credentials.prefetch(dependent(f, 'x', base), pod('p'))
  await f.clock.advance(1_000)
  ;(await f.call()).grant()
  await f.clock.advance(HOUR / 2)
  t.equal(f.calls.length, 0, 'nobody has asked yet')
  await f.credentials.get(dependent(f, 'x', base), pod('p'), f.deadline())
  ;(await f.call()).grant()
  await settle()
  t.equal(f.calls.length, 0)
  await f.credentials.get(dependent(f, 'x', base), pod('p'), f.deadline())
  await f.clock.advance(HOUR / 2)
  t.equal(f.calls.length, 1, 'renewed with what is made from it')
})

t.test('a refusal or a failure of the prerequisite is that of what is made from it', async (t) => {
  const f = createFixture()
  for (const error of [failure('EXCHANGE_UNAVAILABLE', true), failure('EXCHANGE_REFUSED', false)]) {
    const answer = codeOf(
      f.credentials.get(dependent(f, error.code, f.spec(`base ${error.code}`)), pod('p'), f.deadline()),
    )
    ;(await f.call()).fail(error)
    t.equal(await answer, error.code)
  }
})

t.test('a prerequisite that the cloud no longer takes is obtained anew, once for all', async (t) => {
  const f = createFixture()
  const base = f.spec('base')
  const warm = f.credentials.get(base, pod('p'), f.deadline())
  const dead = (await f.call()).grant()
  await warm
  const seen: Credential[] = []
  const retry = async (context: Context, given: Credential) => {
    if (given === dead) seen.push(await context.credential(base, true))
  }
  const answers = ['x', 'y'].map((key) =>
    f.credentials.get(dependent(f, key, base, retry), pod('p'), f.deadline()),
  )
  const renewed = (await f.call()).grant()
  await Promise.all(answers)
  t.same(seen, [renewed, renewed])
  t.equal(f.calls.length, 0)
})

t.test('a prerequisite of a pod that goes is asked for again in the name of another', async (t) => {
  const f = createFixture()
  const spec = dependent(f, 'x', f.spec('base'))
  const mine = codeOf(f.credentials.get(spec, pod('p'), f.deadline()))
  const first = await f.call()
  const yours = codeOf(f.credentials.get(spec, pod('q'), f.deadline()))
  f.credentials.podGone('p')
  t.ok(first.context.signal.aborted)
  const second = await f.call()
  t.equal(second.context.holder.uid, 'q')
  second.grant()
  t.type(await yours, 'object')
  t.equal(await mine, 'CALLER_CHANGED')
})

t.test('specifications that need each other end with the deadline of their flight', async (t) => {
  const f = createFixture()
  const x: CredentialSpec = f.spec('x', { obtain: (context) => context.credential(y) })
  const y: CredentialSpec = f.spec('y', { obtain: (context) => context.credential(x) })
  const answer = codeOf(f.credentials.get(x, pod('p'), f.deadline(HOUR)))
  await f.clock.advance(10_000)
  t.match(await answer, /^(EXCHANGE_UNAVAILABLE|CALLER_NOT_READY)$/)
})

t.test('work left behind by a flight that has ended gets no more tokens and credentials', async (t) => {
  const f = createFixture()
  let context: ObtainContext | undefined
  const spec = f.spec('x', {
    obtain: async (given) => {
      context = given
      await given.subjectToken('audience', { renew: true, expirationSeconds: 600 })
      return f.issue()
    },
  })
  await f.credentials.get(spec, pod('p'), f.deadline())
  t.same(f.tokens, [{ pod: 'p', audience: 'audience', renew: true, expirationSeconds: 600 }])
  await t.rejects(context!.subjectToken('audience'), { code: 'CALLER_CHANGED' })
  await t.rejects(context!.credential(f.spec('base')), { code: 'CALLER_CHANGED' })
  t.equal(f.tokens.length, 1)
  t.equal(f.calls.length, 0)
})

t.test('with an old prerequisite in hand, a renewal that hangs costs two seconds', async (t) => {
  const f = createFixture()
  const base = f.spec('base')
  const warm = f.credentials.get(base, pod('p'), f.deadline())
  const old = (await f.call()).grant(HOUR)
  await warm
  while (old.expiresAt - f.clock.now() >= 300_000) {
    await f.clock.advance(10_000)
    for (const call of f.calls.splice(0)) call.fail(failure('EXCHANGE_UNAVAILABLE', true))
  }
  await f.clock.advance(5_000)
  f.calls.splice(0)
  const used: Credential[] = []
  const spec = dependent(f, 'x', base, async (_context, given) => used.push(given))
  const answer = codeOf(f.credentials.get(spec, pod('p'), f.deadline(5_000)))
  await f.clock.advance(2_000)
  t.type(await answer, 'object')
  t.same(used, [old])
})
