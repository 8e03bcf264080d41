import t from 'tap'
import { request } from 'undici'
import { createAdminServer } from '../../src/admin/admin-server.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'

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
