import t from 'tap'
import { createAwsThrottling } from '../../src/exchange/aws-throttling.ts'
import { silentLog } from '../../src/lib/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

function setUp() {
  const clock = new FakeClock()
  return { clock, gateOf: createAwsThrottling({ clock, log: silentLog, random: () => 0 }) }
}

t.test('a throttle holds every call of the node back', async (t) => {
  const { clock, gateOf } = setUp()
  gateOf('1').throttled(clock.now(), undefined)
  t.equal(gateOf('1').closedMs(), 250)
  t.equal(gateOf('2').closedMs(), 250)
})

t.test("one account that is throttled for long holds the others' calls back for a moment only", async (t) => {
  const { clock, gateOf } = setUp()
  let open = 0
  for (let i = 0; i < 8; i++) {
    gateOf('1').throttled(clock.now(), undefined)
    t.ok(gateOf('2').closedMs() <= 500)
    await clock.advance(500)
    if (gateOf('2').closedMs() === 0) open++
    await clock.advance(gateOf('1').closedMs())
  }
  t.equal(open, 8)
  gateOf('1').throttled(clock.now(), 8_000)
  t.equal(gateOf('1').closedMs(), 8_000)
  t.ok(gateOf('2').closedMs() <= 500)
})

t.test("another account's success does not end an account's row", async (t) => {
  const { clock, gateOf } = setUp()
  gateOf('1').throttled(clock.now(), undefined)
  await clock.advance(250)
  gateOf('2').passed(clock.now())
  gateOf('1').throttled(clock.now(), undefined)
  t.equal(gateOf('1').closedMs(), 500)
})

t.test(
  'a slow call that was under way when the node was held back does not hold it back again',
  async (t) => {
    const { clock, gateOf } = setUp()
    const sentAt = clock.now()
    await clock.advance(4_000)
    gateOf('1').throttled(clock.now(), undefined)
    await clock.advance(250)
    gateOf('1').throttled(sentAt, undefined)
    t.equal(gateOf('1').closedMs(), 0)
    t.equal(gateOf('2').closedMs(), 0)
  },
)

t.test('however many accounts are throttled, the node is open half of the time', async (t) => {
  const { clock, gateOf } = setUp()
  let open = 0
  for (let ms = 0; ms < 10_000; ms += 10) {
    const account = String(ms)
    if (gateOf(account).closedMs() === 0) gateOf(account).throttled(clock.now(), undefined)
    await clock.advance(10)
    if (gateOf('another').closedMs() === 0) open++
  }
  t.ok(open >= 500, `${open} of 1000`)
})
