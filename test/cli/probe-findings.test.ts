import { once } from 'node:events'
import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { createAdminServer } from '../../src/admin/admin-server.ts'
import { probeFindings } from '../../src/cli/probe-findings.ts'
import type { InterceptionReport, SelfTestStatus } from '../../src/lib/interception-report.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'

const signal = new AbortController().signal
const NOT_YET: SelfTestStatus = { proved: false, reportedAt: undefined, stale: false, findings: [] }

/** What a daemon's admin address tells of this status, 90 s after its `reportedAt`. */
async function found(t: Test, change: Partial<SelfTestStatus>) {
  const clock = new FakeClock()
  const report: InterceptionReport = {
    mode: 'redirect',
    checkedAt: undefined,
    claimed: true,
    generation: 1,
    ports: {},
    served: {},
    drift: [],
    selfTest: { ...NOT_YET, reportedAt: clock.now() - 90_000, ...change },
  }
  const parts = { checks: [], clock, metrics: createMetrics(), log: silentLog }
  const server = createAdminServer({ ...parts, interception: () => report })
  const { port } = await server.listen('127.0.0.1', 0)
  t.teardown(() => server.close())
  return await probeFindings(`http://127.0.0.1:${port}`, signal)
}

t.test('what the probe has found is told, with what to do', async (t) => {
  t.strictSame(await found(t, { proved: true }), [
    { ok: true, what: 'a probe pod reached the daemon and nothing else, 90 s ago' },
  ])
  t.match(await found(t, { reportedAt: undefined }), [
    { ok: undefined, what: 'no probe pod of this node has reported yet', advice: /metadatad-probe/ },
  ])
  const message = '169.254.170.2 tcp/80 answered, and should be blocked'
  const finding = { kind: 'reached', address: '169.254.170.2', port: 80, protocol: 'tcp', message } as const
  t.match(await found(t, { findings: [finding] }), [
    { ok: false, what: message, advice: /intercept install/ },
  ])
  t.match(await found(t, { stale: true, findings: [finding] }), [
    { ok: undefined, what: 'the last report of a probe pod is old: 90 s ago' },
    { ok: false, what: message },
  ])
})

t.test('an admin address that tells nothing of it is a finding too', async (t) => {
  const answers = ['<html>', '{"selfTest":{"proved":true}}', 'x'.repeat(300_000)]
  const server = createServer((_, response) => {
    const body = answers.shift()
    response.writeHead(body === undefined ? 404 : 200).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}`
  t.match(await probeFindings(url, signal), [{ ok: undefined, what: /no daemon of this version$/ }])
  t.match(await probeFindings(url, signal), [{ ok: undefined, what: /no daemon of this version$/ }])
  t.match(await probeFindings(url, signal), [{ ok: undefined, what: /the answer is too long$/ }])
  t.match(await probeFindings(url, signal), [{ ok: undefined, what: /HTTP 404$/ }])
  t.match(await probeFindings(url, AbortSignal.abort()), [{ ok: undefined, what: /no daemon tells at/ }])
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  t.match(await probeFindings(url, signal), [
    { ok: undefined, what: /ECONNREFUSED/, advice: /listen\.admin/ },
  ])
})
