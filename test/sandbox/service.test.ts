import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createCertificateAuthority } from '../../src/sandbox/certificate-authority.ts'
import { Controls } from '../../src/sandbox/controls.ts'
import { sendJson } from '../../src/sandbox/send-json.ts'
import { type ServiceCall, startService } from '../../src/sandbox/service.ts'

const ca = await createCertificateAuthority()

async function start(t: Test, handler: (call: ServiceCall) => void | Promise<void> = echo) {
  const controls = new Controls()
  const service = await startService({
    name: 'echo',
    ca,
    clock: systemClock,
    log: silentLog,
    controls,
    clientCertificates: true,
    callName: (method, url) => `${method} ${url.pathname}`,
    handler,
  })
  const dispatcher = new Agent({ connect: { ca: ca.pem } })
  t.teardown(async () => {
    await dispatcher.destroy()
    await service.close()
  })
  return { controls, service, dispatcher }
}

function echo({ response, body, text }: ServiceCall): void {
  sendJson(response, 200, { body, text })
}

t.test('answers over TLS that verifies against its own authority, by address and by name', async (t) => {
  const { service, dispatcher } = await start(t)
  for (const url of [service.url, service.url.replace('127.0.0.1', 'localhost')]) {
    const answer = await request(`${url}/a`, { dispatcher })
    t.equal(answer.statusCode, 200)
    await answer.body.dump()
  }
  const stranger = new Agent()
  t.teardown(() => stranger.destroy())
  await t.rejects(request(service.url, { dispatcher: stranger }), { code: /SELF_SIGNED|UNABLE_TO_VERIFY/ })
})

t.test('shows JSON and forms parsed, and anything else as text', async (t) => {
  const { service, dispatcher } = await start(t)
  const send = async (type: string, body: string) => {
    const answer = await request(service.url, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    return answer.body.json()
  }
  t.same(await send('application/json; charset=utf-8', '{"a":1}'), { body: { a: 1 }, text: '{"a":1}' })
  t.same(await send('application/json', '{"a":'), { text: '{"a":' })
  t.same(await send('application/x-www-form-urlencoded', 'a=1&b=%20'), {
    body: { a: '1', b: ' ' },
    text: 'a=1&b=%20',
  })
  t.same(await send('text/plain', 'hello'), { text: 'hello' })
})

t.test('refuses a body of more than a mebibyte', async (t) => {
  const { service, dispatcher } = await start(t)
  const answer = await request(service.url, { dispatcher, method: 'POST', body: Buffer.alloc((1 << 20) + 1) })
  t.equal(answer.statusCode, 413)
  await answer.body.dump()
})

t.test('counts calls, and forgets them on demand', async (t) => {
  const { controls, service, dispatcher } = await start(t)
  for (const path of ['/a', '/a', '/b']) await (await request(service.url + path, { dispatcher })).body.dump()
  t.same(
    [...controls.calls],
    [
      ['GET /a', 2],
      ['GET /b', 1],
    ],
  )
  controls.resetCalls()
  t.equal(controls.calls.size, 0)
})

t.test('gives an injected answer, and shows the call and its body to who decides', async (t) => {
  const { controls, service, dispatcher } = await start(t)
  const seen: unknown[] = []
  controls.intercept = (call, body) => {
    seen.push([call, body])
    return { status: 429, headers: { 'retry-after': '1' }, body: { error: 'slow down' } }
  }
  const answer = await request(`${service.url}/x`, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  t.equal(answer.statusCode, 429)
  t.equal(answer.headers['retry-after'], '1')
  t.same(await answer.body.json(), { error: 'slow down' })
  t.same(seen, [['POST /x', {}]])
})

t.test('breaks a connection, or never answers, when told to', async (t) => {
  const { controls, service, dispatcher } = await start(t)
  controls.intercept = () => 'reset'
  await t.rejects(request(service.url, { dispatcher }), { code: /ECONNRESET|UND_ERR_SOCKET/ })

  const received = Promise.withResolvers<void>()
  controls.intercept = () => {
    received.resolve()
    return 'hang'
  }
  const abort = new AbortController()
  const hanging = request(service.url, { dispatcher, signal: abort.signal })
  await received.promise
  abort.abort()
  await t.rejects(hanging, { name: 'AbortError' })
})

t.test('resets what is open during an outage, refuses what comes, and recovers', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const { service, dispatcher } = await start(t, (call) => {
    if (call.url.pathname === '/open') return arrived.resolve()
    echo(call)
  })
  const open = request(`${service.url}/open`, { dispatcher })
  await arrived.promise
  service.outage = true
  await t.rejects(open, { code: /ECONNRESET|UND_ERR_SOCKET/ })
  await t.rejects(request(service.url, { dispatcher }), { code: /ECONNRESET|UND_ERR_SOCKET/ })
  service.outage = false
  const answer = await request(service.url, { dispatcher })
  t.equal(answer.statusCode, 200)
  await answer.body.dump()
})

t.test('turns a failing handler into a 500 and a malformed target into a 400', async (t) => {
  const { service, dispatcher } = await start(t, () => Promise.reject(new Error('defect')))
  const failed = await request(service.url, { dispatcher })
  t.equal(failed.statusCode, 500)
  await failed.body.dump()
  const malformed = await dispatcher.request({ origin: service.url, path: '//[', method: 'GET' })
  t.equal(malformed.statusCode, 400)
  await malformed.body.dump()
})

t.test('takes a client certificate of its own authority', async (t) => {
  const { service } = await start(t, ({ request: incoming, response }) => {
    const socket = incoming.socket as import('node:tls').TLSSocket
    sendJson(response, 200, { authorized: socket.authorized, name: socket.getPeerCertificate().subject?.CN })
  })
  const { cert, key } = await ca.issueClient('alice')
  const dispatcher = new Agent({ connect: { ca: ca.pem, cert, key } })
  t.teardown(() => dispatcher.destroy())
  const answer = await request(service.url, { dispatcher })
  t.same(await answer.body.json(), { authorized: true, name: 'alice' })
})
