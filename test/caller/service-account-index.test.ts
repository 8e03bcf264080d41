import t from 'tap'
import { ServiceAccountIndex } from '../../src/caller/service-account-index.ts'
import type { ServiceAccount } from '../../src/kubernetes/types.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { serviceAccount } from './build.ts'

const ANNOTATED = { 'iam.gke.io/gcp-service-account': 'x@p.iam.gserviceaccount.com' }

/** An index whose questions the test answers one by one. */
function indexed() {
  const clock = new FakeClock()
  const questions: PromiseWithResolvers<ServiceAccount | undefined>[] = []
  const told: string[] = []
  const index = new ServiceAccountIndex({
    clock,
    read: () => {
      const question = Promise.withResolvers<ServiceAccount | undefined>()
      questions.push(question)
      return question.promise
    },
  })
  index.listen((key, next, previous) => told.push(`${key}: ${previous?.uid} -> ${next?.uid}`))
  return { clock, questions, told, index }
}

t.test('of the accounts that no pod uses only the annotated ones are kept', async (t) => {
  const { index } = indexed()
  for (let i = 0; i < 10_000; i++) index.upsert(serviceAccount(`sa-${i}`, i % 100 === 0 ? ANNOTATED : {}))
  t.equal(index.size, 100)
  index.upsert(serviceAccount('sa-0'))
  t.equal(index.size, 99, 'and no longer than they are annotated')
})

t.test('an account that a pod uses is kept until the last of its pods goes', async (t) => {
  const { index } = indexed()
  index.use('ns/sa')
  index.use('ns/sa')
  index.upsert(serviceAccount('sa'))
  const entry = index.entry('ns/sa')
  index.release('ns/sa')
  t.equal(entry?.current?.uid, 'uid-sa')
  index.release('ns/sa')
  t.equal(index.size, 0)
  t.equal(entry?.current, undefined, 'who still holds the entry can not take it for current')
  index.release('ns/sa')
  t.equal(index.size, 0)
})

t.test('listeners hear of what matters, once', async (t) => {
  const { index, told } = indexed()
  index.upsert(serviceAccount('sa', ANNOTATED))
  index.upsert({ ...serviceAccount('sa', ANNOTATED), resourceVersion: '2' })
  index.upsert({ ...serviceAccount('sa', ANNOTATED), uid: 'second' })
  index.upsert({ ...serviceAccount('sa', { 'iam.gke.io/gcp-service-account': 'y' }), uid: 'second' })
  index.upsert({ ...serviceAccount('sa', { 'iam.gke.io/other': 'y' }), uid: 'second' })
  index.remove('ns/sa')
  index.remove('ns/sa')
  t.same(told, [
    'ns/sa: undefined -> uid-sa',
    'ns/sa: uid-sa -> second',
    'ns/sa: second -> second',
    'ns/sa: second -> second',
    'ns/sa: second -> undefined',
  ])
})

t.test('one question at a time is asked for all, and its answer wakes those who wait', async (t) => {
  const { index, questions } = indexed()
  let woken = 0
  const stop = index.onChange('ns/sa', () => woken++)
  const asked = Promise.all([index.ask('ns/sa'), index.ask('ns/sa'), index.ask('ns/sa')])
  t.equal(questions.length, 1)
  questions[0]!.resolve(serviceAccount('sa'))
  await asked
  t.equal(index.entry('ns/sa')?.current?.uid, 'uid-sa')
  t.equal(woken, 1)
  stop()
  await index.ask('ns/sa')
  t.equal(questions.length, 1, 'what is known is not asked for')
})

t.test('an answer is kept for a minute without a pod, and leaves no timer', async (t) => {
  const { clock, index, questions } = indexed()
  const asked = index.ask('ns/sa')
  questions[0]!.resolve(serviceAccount('sa'))
  await asked
  await clock.advance(59_999)
  t.equal(index.size, 1)
  await clock.advance(1)
  t.equal(index.size, 0)
  t.equal(clock.pending, 0)
})

t.test('an account that the watch saw deleted during the question stays deleted', async (t) => {
  for (const seenBefore of [true, false]) {
    const { index, questions } = indexed()
    index.use('ns/sa')
    const asked = index.ask('ns/sa')
    if (seenBefore) index.upsert(serviceAccount('sa', ANNOTATED))
    index.remove('ns/sa')
    questions[0]!.resolve(serviceAccount('sa', ANNOTATED))
    await asked
    t.equal(index.entry('ns/sa')?.current, undefined, `seen before: ${seenBefore}`)
  }
})

t.test('what the watch said during the question stands against the answer', async (t) => {
  const { index, questions } = indexed()
  index.use('ns/sa')
  const asked = index.ask('ns/sa')
  index.upsert({ ...serviceAccount('sa', ANNOTATED), uid: 'second' })
  questions[0]!.resolve(serviceAccount('sa'))
  await asked
  t.equal(index.entry('ns/sa')?.current?.uid, 'second')
})

t.test(
  'an account that was missing, or could not be read, is not asked for again within a second',
  async (t) => {
    for (const failing of [false, true]) {
      const { clock, index, questions } = indexed()
      index.use('ns/sa')
      const first = index.ask('ns/sa')
      if (failing) questions[0]!.reject(new Error('forbidden'))
      else questions[0]!.resolve(undefined)
      await first.catch(() => {})
      for (let i = 0; i < 100; i++) {
        const again = index.ask('ns/sa')
        if (failing) await t.rejects(again, { message: 'forbidden' })
        else await again
      }
      t.equal(questions.length, 1)
      t.ok(clock.pending <= 1, 'nor does asking in vain leave timers behind')
      await clock.advance(1_000)
      const second = index.ask('ns/sa')
      t.equal(questions.length, 2)
      questions[1]!.resolve(serviceAccount('sa'))
      await second
      t.equal(index.entry('ns/sa')?.current?.uid, 'uid-sa')
    }
  },
)

t.test('an answer for an entry that was given up in the meantime is nobody’s', async (t) => {
  const { clock, index, questions, told } = indexed()
  const asked = index.ask('ns/sa')
  await clock.advance(60_000)
  t.equal(index.size, 0)
  questions[0]!.resolve(serviceAccount('sa', ANNOTATED))
  await asked
  await settle()
  t.equal(index.size, 0)
  t.same(told, [])
})

t.test('a clock that was set back does not put a question off', async (t) => {
  const { clock, index, questions } = indexed()
  index.use('ns/sa')
  const first = index.ask('ns/sa')
  questions[0]!.resolve(undefined)
  await first
  await clock.advance(-3_600_000)
  const second = index.ask('ns/sa')
  t.equal(questions.length, 2)
  questions[1]!.resolve(serviceAccount('sa'))
  await second
})
