import { getEventListeners } from 'node:events'
import t from 'tap'
import { fullJitter } from '../../src/lib/backoff.ts'
import { deadlineIn } from '../../src/lib/deadline.ts'
import { sleep } from '../../src/lib/sleep.ts'
import { FakeClock } from '../support/fake-clock.ts'

t.test('a deadline passes when its time has come, and not before', async (t) => {
  const clock = new FakeClock()
  const deadline = deadlineIn(clock, 100)
  await clock.advance(99)
  t.equal(deadline.signal.aborted, false)
  await clock.advance(1)
  t.equal(deadline.signal.reason.name, 'TimeoutError')
})

t.test('a deadline ends with its parent, before or after it is made', async (t) => {
  const clock = new FakeClock()
  const parent = new AbortController()
  const deadline = deadlineIn(clock, 100, parent.signal)
  parent.abort(new Error('stop'))
  t.equal(deadline.signal.reason.message, 'stop')
  t.equal(deadlineIn(clock, 100, parent.signal).signal.aborted, true)
})

t.test('a deadline that was disposed of leaves neither a timer nor a listener', async (t) => {
  const clock = new FakeClock()
  const parent = new AbortController()
  {
    using deadline = deadlineIn(clock, 100, parent.signal)
    t.equal(clock.pending, 1)
    t.equal(deadline.at, clock.now() + 100)
  }
  t.equal(clock.pending, 0)
  t.equal(getEventListeners(parent.signal, 'abort').length, 0)
})

t.test('a sleeper wakes in time, or at once when it is called', async (t) => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const both = Promise.all([sleep(clock, 50), sleep(clock, 5_000, controller.signal)])
  await clock.advance(50)
  controller.abort()
  await both
  t.equal(clock.pending, 0)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

t.test(
  'the wait before a retry grows by doubling to its bound, and is drawn from the whole of it',
  async (t) => {
    const options = { baseMs: 100, maxMs: 1_000 }
    const most = (attempt: number) => fullJitter(attempt, { ...options, random: () => 0.999999 })
    t.same([0, 1, 2, 3, 4, 99].map(most), [99, 199, 399, 799, 999, 999])
    t.equal(fullJitter(5, { ...options, random: () => 0 }), 0)
  },
)
