import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Agent } from 'undici'
import { createGooglePassthrough } from '../../../src/endpoints/google/google-passthrough.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { startEndpoints } from '../../support/endpoint-fixture.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'

const V1 = '/computeMetadata/v1'
const TYPE = `${V1}/instance/machine-type`

/** Our server in front of a real server that answers with `listener`; every request that reaches it is kept. */
async function start(t: { teardown(fn: () => Promise<void>): void }, listener: RequestListener) {
  const requests: IncomingMessage[] = []
  const upstream = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const dispatcher = new Agent()
  const clock = new FakeClock()
  const endpoints = await startEndpoints({
    clock,
    passthrough: () =>
      createGooglePassthrough({
        paths: [TYPE, `${V1}/instance/service-accounts/default/token`],
        upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        dispatcher,
        clock,
        log: silentLog,
      }),
  })
  t.teardown(async () => {
    await endpoints.close()
    await dispatcher.destroy()
    upstream.closeAllConnections()
    upstream.close()
  })
  return { ...endpoints, clock, requests, upstream }
}

const value: RequestListener = (_request, response) => {
  response.writeHead(200, {
    'Metadata-Flavor': 'Google',
    'Content-Type': 'application/text',
    'Set-Cookie': 'a=b',
  })
  response.end('projects/1/machineTypes/e2-medium')
}

t.test('an allowed path is fetched, with nothing of the pod’s request', async (t) => {
  const { ask, requests } = await start(t, value)
  const headers = { 'X-Other': 'x', Cookie: 'c', Connection: 'X-Other', Authorization: 'Bearer x' }
  const answer = await ask(
    `//computeMetadata/v1/instance/machine%2Dtype?alt=TEXT&alt=text&x=1&recursive=true`,
    { headers },
  )
  t.equal(answer.status, 200)
  t.equal(answer.body, 'projects/1/machineTypes/e2-medium')
  t.equal(answer.headers['content-type'], 'application/text')
  t.equal(answer.headers['metadata-flavor'], 'Google')
  t.match(answer.headers.etag, /^[0-9a-f]{16}$/)
  t.equal(answer.headers['set-cookie'], undefined)
  t.equal(requests[0]?.url, TYPE)
  const sent = Object.keys(requests[0]?.headers ?? {}).sort()
  t.strictSame(sent, ['connection', 'host', 'metadata-flavor'])
  t.equal((await ask(`${TYPE}?alt=json`)).status, 200)
  t.equal(requests[1]?.url, `${TYPE}?alt=json`)
  t.equal((await ask(TYPE, { method: 'HEAD' })).body, '')
})

t.test('nothing else ever reaches the real server', async (t) => {
  const { ask, raw, requests } = await start(t, value)
  const others = [
    `${TYPE}/`,
    `${TYPE}/x`,
    `${V1}/instance/machine-typ`,
    `${V1}/instance/x/../machine-type`,
    `${V1}/instance/x/%2e%2e/machine-type`,
    `${V1}/instance%2fmachine-type`,
    `${V1}/instance/Machine-Type`,
    `${V1}/instance/disks/`,
    `${V1}/instance/service-accounts/default/token`,
  ]
  for (const path of others) await ask(path)
  await ask(TYPE, { plain: true })
  await ask(TYPE, { method: 'POST' })
  await ask(TYPE, { headers: { host: 'evil.example' } })
  await ask(TYPE, { headers: { 'X-Forwarded-For': '10.0.0.1' } })
  await ask(`${TYPE}?wait_for_change=true`)
  await raw(
    `GET http://metadata${TYPE} HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\nConnection: close\r\n\r\n`,
  )
  t.equal(requests.length, 0)
})

t.test('what the real server does not have is 404, redirects included', async (t) => {
  let status = 404
  const { ask } = await start(t, (_request, response) => {
    response
      .writeHead(status, { 'Metadata-Flavor': 'Google', Location: '/computeMetadata/v1/instance/' })
      .end('secret')
  })
  for (status of [404, 301]) {
    const answer = await ask(TYPE)
    t.equal(answer.status, 404)
    t.equal(answer.body, 'Not Found\n')
    t.equal(answer.headers.location, undefined)
  }
})

t.test('whatever else goes wrong there is 503', async (t) => {
  const listeners: RequestListener[] = [
    (_request, response) => response.writeHead(500, { 'Metadata-Flavor': 'Google' }).end(),
    (_request, response) => response.writeHead(200).end('no metadata server'),
    (request) => request.socket.destroy(),
    (_request, response) =>
      response.writeHead(200, { 'Metadata-Flavor': 'Google' }).end('x'.repeat(1024 * 1024 + 1)),
  ]
  let listener = listeners[0]!
  const { ask, upstream } = await start(t, (request, response) => listener(request, response))
  for (listener of listeners) {
    const answer = await ask(TYPE)
    t.equal(answer.status, 503)
    t.equal(answer.headers['retry-after'], '1')
  }
  upstream.closeAllConnections()
  upstream.close()
  t.equal((await ask(TYPE)).status, 503)
})

t.test(
  'a real server that does not answer is given up after 2 s, and by a client that hangs up at once',
  async (t) => {
    const { ask, clock, requests } = await start(t, () => {})
    const asked = ask(TYPE)
    await until(() => requests.length === 1)
    await clock.advance(1999)
    t.equal(clock.pending, 1, 'not sooner')
    await clock.advance(1)
    t.equal((await asked).status, 503)
    const abort = new AbortController()
    const given = ask(TYPE, { signal: abort.signal })
    await until(() => requests.length === 2)
    const closed = once(requests[1]!.socket, 'close')
    abort.abort()
    await t.rejects(given, { code: 'ABORT_ERR' })
    await closed
    await until(() => clock.pending === 0)
    const many = Array.from({ length: 16 }, () => ask(TYPE).catch(() => {}))
    await until(() => requests.length === 18)
    t.equal((await ask(TYPE)).status, 503, 'one more than may be open')
    await clock.advance(2000)
    await Promise.all(many)
  },
)
