import t from 'tap'
import { Gate } from '../../../src/caller/proof/gate.ts'
import { PacedRun } from '../../../src/caller/proof/paced-run.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

t.test('whoever asks during a run gets the next, together, after the gap', async (t) => {
  const clock = new FakeClock()
  const gates: PromiseWithResolvers<void>[] = []
  const runs = new PacedRun({
    clock,
    gapMs: () => 50,
    run: async () => {
      const gate = Promise.withResolvers<void>()
      const n = gates.push(gate)
      await gate.promise
      return n
    },
  })
  const first = runs.next()
  await settle()
  const second = [runs.next(), runs.next()]
  t.equal(gates.length, 1)
  gates[0]!.resolve()
  t.equal(await first, 1)
  await clock.advance(49)
  t.equal(gates.length, 1)
  await clock.advance(1)
  gates[1]!.resolve()
  t.same(await Promise.all(second), [2, 2])
  t.equal(clock.pending, 0)
})

t.test('a run that fails fails for those who asked for it, and for nobody after', async (t) => {
  const clock = new FakeClock()
  let fails = true
  const runs = new PacedRun({
    clock,
    gapMs: () => 0,
    run: async () => {
      if (fails) throw new Error('no')
      return 'yes'
    },
  })
  await t.rejects(Promise.all([runs.next(), runs.next()]), { message: 'no' })
  fails = false
  t.equal(await runs.next(), 'yes')
})

t.test('a clock that was set back does not make the gap longer', async (t) => {
  const clock = new FakeClock(1_000_000)
  const runs = new PacedRun({ clock, gapMs: () => 50, run: async () => 'done' })
  await runs.next()
  const back = new FakeClock(0)
  clock.now = () => back.now()
  const next = runs.next()
  await clock.advance(50)
  t.equal(await next, 'done')
})

t.test('a gate lets its number in, and the others in their order', async (t) => {
  const gate = new Gate(2)
  const entered: number[] = []
  const leave: (() => void)[] = []
  for (let n = 0; n < 5; n++) {
    void gate.enter().then((out) => {
      entered.push(n)
      leave.push(out)
    })
  }
  await settle()
  t.same(entered, [0, 1])
  leave[0]!()
  await settle()
  t.same(entered, [0, 1, 2])
  for (const out of leave.slice(1)) out()
  await settle()
  t.same(entered, [0, 1, 2, 3, 4])
})
