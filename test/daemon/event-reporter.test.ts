import t from 'tap'
import { createEventReporter } from '../../src/daemon/event-reporter.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'

function refusal(change: { retryable?: boolean; fault?: 'policy' | 'caller' } = {}): MetadatadError {
  return new MetadatadError('EXCHANGE_REFUSED', 'iam refused', {
    fault: change.fault ?? 'policy',
    retryable: change.retryable ?? false,
    publicMessage: 'Grant the role.',
  })
}

function reporter() {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const written: string[] = []
  const failing = { on: false }
  const events = createEventReporter({
    write: async (pod, reason, message) => {
      if (failing.on) throw new Error('forbidden')
      written.push(`${pod.name} ${reason} ${message}`)
    },
    clock,
    log: silentLog,
    metrics,
  })
  return { clock, metrics, written, failing, events }
}

const pod = (name: string) => ({ namespace: 'ns', name, uid: `uid-${name}` })

t.test('a refusal that a person has to mend is told once in ten minutes a pod', async (t) => {
  const { clock, written, events } = reporter()
  for (let i = 0; i < 100; i++) events.report(pod('a'), refusal())
  t.same(written, ['a ExchangeRefused Grant the role.'])
  await clock.advance(10 * 60_000)
  events.report(pod('a'), refusal())
  t.equal(written.length, 2)
})

t.test('what is transient, or the fault of the program that asked, is not for events', async (t) => {
  const { written, events } = reporter()
  events.report(pod('a'), refusal({ retryable: true }))
  events.report(pod('a'), refusal({ fault: 'caller' }))
  t.same(written, [])
})

t.test('the node writes no more than its bucket holds, and what was dropped may be told later', async (t) => {
  const { clock, metrics, written, events } = reporter()
  for (let i = 0; i < 50; i++) events.report(pod(`p${i}`), refusal())
  t.equal(written.length, 20)
  t.match(await metrics.registry.metrics(), /metadatad_events_total\{outcome="dropped"\} 30/)
  await clock.advance(10_000)
  events.report(pod('p49'), refusal())
  events.report(pod('p48'), refusal())
  t.equal(written.length, 21)
})

t.test('an event that the API server refuses harms nothing', async (t) => {
  const { metrics, failing, events } = reporter()
  failing.on = true
  events.report(pod('a'), refusal())
  await settle()
  t.match(await metrics.registry.metrics(), /metadatad_events_total\{outcome="INTERNAL"\} 1/)
})
