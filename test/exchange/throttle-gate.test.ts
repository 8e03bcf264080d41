import t from 'tap'
import { Agent } from 'undici'
import { createCloudRequest } from '../../src/exchange/cloud-request.ts'
import { createThrottleGate } from '../../src/exchange/throttle-gate.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'

function setUp(random = () => 0.5) {
  const clock = new FakeClock()
  return { clock, gate: createThrottleGate({ service: 'test', clock, log: silentLog, random }) }
}

t.test('it is open until a call is throttled, and again when the time is over', async (t) => {
  const { clock, gate } = setUp()
  t.equal(gate.closedMs(), 0)
  gate.throttled(clock.now(), undefined)
  t.equal(gate.closedMs(), 375)
  await clock.advance(374)
  t.equal(gate.closedMs(), 1)
  await clock.advance(1)
  t.equal(gate.closedMs(), 0)
})

t.test('every throttle in a row doubles it, up to ten seconds', async (t) => {
  const { clock, gate } = setUp(() => 0)
  const times: number[] = []
  for (let i = 0; i < 7; i++) {
    gate.throttled(clock.now(), undefined)
    times.push(gate.closedMs())
    await clock.advance(gate.closedMs())
  }
  t.strictSame(times, [250, 500, 1000, 2000, 4000, 5000, 5000])
  gate.passed(clock.now())
  gate.throttled(clock.now(), undefined)
  t.equal(gate.closedMs(), 250, 'a call that passed ends the row')
})

t.test('calls that were under way when it closed change nothing', async (t) => {
  const { clock, gate } = setUp(() => 0)
  const sentAt = clock.now()
  await clock.advance(100)
  gate.throttled(sentAt, undefined)
  const closed = gate.closedMs()
  gate.throttled(sentAt, undefined)
  gate.passed(sentAt)
  t.equal(gate.closedMs(), closed)
  await clock.advance(closed)
  gate.throttled(sentAt, undefined)
  t.equal(gate.closedMs(), 0)
  gate.throttled(clock.now(), undefined)
  t.equal(gate.closedMs(), 500, 'the row went on')
})

t.test('what the service asks for is honoured, within the same bound', async (t) => {
  const { clock, gate } = setUp(() => 0)
  gate.throttled(clock.now(), 3_000)
  t.equal(gate.closedMs(), 3_000)
  await clock.advance(3_000)
  gate.throttled(clock.now(), 600_000)
  t.equal(gate.closedMs(), 10_000)
})

t.test('a clock that is set back does not lock the node out', async (t) => {
  let now = 1_000_000_000
  const clock = { now: () => now, after: () => ({ cancel() {} }) }
  const gate = createThrottleGate({ service: 'test', clock, log: silentLog, random: () => 0 })
  gate.throttled(now, undefined)
  now -= 3_600_000
  t.equal(gate.closedMs(), 0)
  gate.throttled(now, undefined)
  t.equal(gate.closedMs(), 500, 'and it closes again')
})

t.test('a call waits for it without sending anything, and leaves with its caller', async (t) => {
  const { clock, gate } = setUp(() => 0)
  const metrics = createMetrics()
  const dispatcher = new Agent()
  t.teardown(() => dispatcher.destroy())
  const request = createCloudRequest({ dispatcher, clock, metrics, random: () => 0 })
  const controller = new AbortController()
  gate.throttled(clock.now(), 3_000)
  const call = request({
    call: 'test',
    service: 'The cloud',
    url: 'http://127.0.0.1:1/',
    body: { json: {} },
    signal: controller.signal,
    gate,
    classify: () => 'answered',
  })
  await clock.advance(2_999)
  controller.abort()
  await t.rejects(call, { code: 'EXCHANGE_THROTTLED', retryable: true })
  t.equal(clock.pending, 0)
  t.strictSame((await metrics.exchanges.get()).values, [], 'nothing was sent')
})
