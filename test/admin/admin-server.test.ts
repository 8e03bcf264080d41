import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { request } from 'undici'
import { createAdminServer } from '../../src/admin/admin-server.ts'
import { createLog, silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'

t.test('the admin server tells metrics, life and readiness', async (t) => {
  const reasons: { pods: string | undefined; serviceAccounts: string | undefined } = {
    pods: 'no complete list of pods yet',
    serviceAccounts: 'no complete list of service accounts yet',
  }
  const metrics = createMetrics()
  const server = createAdminServer({
    checks: [
      { name: 'pods', reason: () => reasons.pods },
      { name: 'service accounts', reason: () => reasons.serviceAccounts },
    ],
    metrics,
    log: silentLog,
  })
  const { port } = await server.listen('127.0.0.1', 0)
  t.teardown(() => server.close())
  const get = async (path: string, options: Parameters<typeof request>[1] = {}) => {
    const answer = await request(`http://127.0.0.1:${port}${path}`, options)
    return { status: answer.statusCode, type: answer.headers['content-type'], body: await answer.body.text() }
  }

  t.same(await get('/healthz'), { status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n' })

  const waiting = await get('/readyz')
  t.equal(waiting.status, 503)
  t.equal(
    waiting.body,
    'pods: no complete list of pods yet\nservice accounts: no complete list of service accounts yet\n',
  )
  const json = await get('/readyz', { headers: { accept: 'application/json' } })
  t.equal(JSON.parse(json.body).reasons.length, 2)

  reasons.pods = undefined
  reasons.serviceAccounts = undefined
  t.same(await get('/readyz'), { status: 200, type: 'text/plain; charset=utf-8', body: 'ready\n' })

  metrics.pods.set(3)
  const text = await get('/metrics')
  t.match(text.type, /^text\/plain; version=/)
  t.match(text.body, /^metadatad_pods 3$/m)

  t.equal((await get('/')).status, 404)
  t.equal((await get('/healthz', { method: 'POST' })).status, 405)
  t.equal((await get('/healthz?verbose')).status, 200)
})

t.test('an address in use is a coded error that names it', async (t) => {
  const make = () => createAdminServer({ checks: [], metrics: createMetrics(), log: silentLog })
  const first = make()
  const { port } = await first.listen('127.0.0.1', 0)
  t.teardown(() => first.close())
  await t.rejects(make().listen('127.0.0.1', port), {
    code: 'LISTEN_FAILED',
    message: new RegExp(`127.0.0.1:${port}.*EADDRINUSE`),
  })
})

t.test('an address that another process has is taken over when it is free', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const lines: { msg: string; admin?: { port: number } }[] = []
  const clock = new FakeClock()
  const log = createLog('info', { write: (line) => lines.push(JSON.parse(line)) })
  const server = createAdminServer({ checks: [], clock, metrics: createMetrics(), log })
  t.teardown(() => server.close())
  t.equal(await server.listenWhenFree('127.0.0.1', port, new AbortController().signal), undefined)
  for (let i = 0; i < 20; i++) await clock.advance(1_000)
  t.strictSame(
    lines.map(({ msg }) => msg),
    ['admin address in use, waiting for it'],
  )
  other.close()
  await once(other, 'close')
  await eventually(
    () => clock.advance(1_000),
    () => lines.length > 1,
  )
  t.match(lines[1], { msg: 'admin address taken over', admin: { port } })
  t.equal((await request(`http://127.0.0.1:${port}/healthz`)).statusCode, 200)
  t.equal(clock.pending, 0)
})

t.test(
  'waiting for an address ends with the signal or the server, and other failures are told at once',
  async (t) => {
    const first = createAdminServer({ checks: [], metrics: createMetrics(), log: silentLog })
    const { port } = await first.listen('127.0.0.1', 0)
    for (const end of ['signal', 'close'] as const) {
      const clock = new FakeClock()
      const stop = new AbortController()
      const second = createAdminServer({ checks: [], clock, metrics: createMetrics(), log: silentLog })
      t.equal(await second.listenWhenFree('127.0.0.1', port, stop.signal), undefined)
      if (end === 'signal') stop.abort()
      else await second.close()
      await clock.advance(2_000)
      t.equal(clock.pending, 0)
      if (end === 'signal') await second.close()
    }
    await first.close()
    const wrong = createAdminServer({ checks: [], metrics: createMetrics(), log: silentLog })
    await t.rejects(wrong.listenWhenFree('192.0.2.1', port, new AbortController().signal), {
      code: 'LISTEN_FAILED',
    })
  },
)

t.test('the page of the interception gives ages, and is 404 where nothing is known', async (t) => {
  const clock = new FakeClock()
  const selfTest = { proved: true, reportedAt: clock.now() - 30_000, stale: false, findings: [] }
  const report = {
    mode: 'redirect',
    checkedAt: clock.now() - 1_500,
    claimed: true,
    generation: 3,
    ports: { '169.254.169.254': 988 },
    served: { '169.254.169.254': [988] },
    drift: [],
    selfTest,
  } as const
  for (const [interception, expected] of [
    [undefined, 404],
    [() => report, 200],
  ] as const) {
    const server = createAdminServer({
      checks: [],
      clock,
      metrics: createMetrics(),
      log: silentLog,
      interception,
    })
    const { port } = await server.listen('127.0.0.1', 0)
    const answer = await request(`http://127.0.0.1:${port}/interception`)
    t.equal(answer.statusCode, expected)
    if (expected === 200) {
      const { checkedAt: _checkedAt, ...rest } = report
      t.strictSame(await answer.body.json(), {
        ...rest,
        checkedAgeSeconds: 1.5,
        selfTest: { proved: true, stale: false, findings: [], ageSeconds: 30 },
      })
    } else await answer.body.dump()
    await server.close()
  }
})
