import t from 'tap'
import { settle } from '../support/fake-clock.ts'
import { codeOf, createFixture, failure, HOUR, pod } from './fixture.ts'

t.test('each credential obtained is one line, with whose it is and without what it is', async (t) => {
  const f = createFixture({ limits: { prefetchSpreadMs: 0 } })
  const obtained = () => f.lines.filter((line) => line.message === 'credential obtained')
  f.credentials.prefetch(f.spec('a'), pod('p'))
  ;(await f.call()).grant()
  await settle()
  await f.credentials.get(f.spec('a'), pod('p'), f.deadline())
  t.equal(obtained().length, 1, 'answers are not written down')
  await f.clock.advance(HOUR / 2)
  const renewed = (await f.call()).grant()
  const request = f.credentials.get(f.spec('b'), pod('p'), f.deadline())
  ;(await f.call()).grant()
  await request
  t.same(
    obtained().map((line) => [line.level, line.fields.reason]),
    [
      ['info', 'prefetch'],
      ['info', 'renewal'],
      ['info', 'request'],
    ],
  )
  t.same(obtained()[1]?.fields, {
    namespace: 'shop',
    pod: 'pod-p',
    podUid: 'p',
    serviceAccount: 'web',
    kind: 'test-token',
    identity: 'robot@project.example',
    reason: 'renewal',
    digest: renewed.digest,
    expiresAt: new Date(renewed.expiresAt).toISOString(),
  })
  const { values } = await f.metrics.credentialsObtained.get()
  t.same(
    values.map(({ labels, value }) => [labels.reason, labels.outcome, value]),
    [
      ['prefetch', 'ok', 1],
      ['renewal', 'ok', 1],
      ['request', 'ok', 1],
    ],
  )
  t.equal((await f.metrics.credentials.get()).values[0]?.value, 2)
  f.credentials.podGone('p')
  t.equal((await f.metrics.credentials.get()).values[0]?.value, 0)
})

t.test('failures are counted each and written once a minute for a pod, kind and code', async (t) => {
  const f = createFixture()
  const fail = async (key: string, uid: string) => {
    const answer = codeOf(f.credentials.get(f.spec(key), pod(uid, `account of ${uid}`), f.deadline()))
    ;(await f.call()).fail(failure('EXCHANGE_REFUSED', false))
    await answer
  }
  const warnings = () => f.lines.filter((line) => line.level === 'warn')
  for (let number = 0; number < 50; number++) await fail(`audience ${number}`, 'p')
  t.equal(warnings().length, 1)
  t.match(warnings()[0], {
    message: 'credential not obtained',
    fields: { podUid: 'p', code: 'EXCHANGE_REFUSED', omitted: 0 },
  })
  await fail('a', 'q')
  t.equal(warnings().length, 2, 'another pod is not silenced by it')
  await f.clock.advance(60_000)
  await fail('a', 'p')
  t.match(warnings()[2]?.fields, { podUid: 'p', omitted: 49 })
  const { values } = await f.metrics.credentialsObtained.get()
  t.equal(values.find(({ labels }) => labels.outcome === 'EXCHANGE_REFUSED')?.value, 52)
  t.equal(await f.count('refused'), 52)
})

t.test('failures are reported for the pod they concern', async (t) => {
  const reported: unknown[] = []
  const f = createFixture({ refused: (holder, error) => void reported.push([holder.uid, error.code]) })
  for (const error of [failure('EXCHANGE_UNAVAILABLE', true), failure('EXCHANGE_REFUSED', false)]) {
    const answer = codeOf(f.credentials.get(f.spec(error.code), pod('p'), f.deadline()))
    ;(await f.call()).fail(error)
    await answer
  }
  t.same(reported, [
    ['p', 'EXCHANGE_UNAVAILABLE'],
    ['p', 'EXCHANGE_REFUSED'],
  ])
})
