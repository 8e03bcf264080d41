import { once } from 'node:events'
import { request } from 'node:http'
import t, { type Test } from 'tap'
import { disabledAws } from '../../../src/endpoints/disabled-clouds.ts'
import { createMetadataServer } from '../../../src/endpoints/metadata-server.ts'
import { SelfTest } from '../../../src/endpoints/self-test/self-test.ts'
import { createSelfTestProtocol } from '../../../src/endpoints/self-test/self-test-protocol.ts'
import { createLog } from '../../../src/lib/log.ts'
import { METADATA_ADDRESSES } from '../../../src/lib/metadata-addresses.ts'
import { createMetrics } from '../../../src/lib/metrics.ts'
import { SELF_TEST_PATH } from '../../../src/lib/self-test-greeting.ts'
import type { ProbeOutcome } from '../../../src/lib/self-test-report.ts'
import { TestIdentifier, testCaller } from '../../support/endpoint-fixture.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { dial, drain, exchange } from '../../support/raw.ts'
import { until } from '../../support/until.ts'

const PROBE = '127.0.0.2'
const OTHER = '127.0.0.3'
const UNKNOWN = '127.0.0.4'

/** The real server with nothing but the self-test; the pod `probe` is at 127.0.0.2, another at 127.0.0.3. */
async function start(t: Test) {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const lines: Record<string, unknown>[] = []
  const log = createLog('info', { write: (line) => lines.push(JSON.parse(line)) })
  const expected = { mode: 'redirect', captured: ['169.254.169.254'], allow: [], exempt: [] } as const
  const selfTest = new SelfTest({ node: 'node-1', expected, clock, log, metrics })
  const fallback = disabledAws(metrics)
  const identifier = new TestIdentifier()
  identifier.set(PROBE, testCaller('probe'))
  identifier.set(OTHER, testCaller('other'))
  const looks = { count: 0 }
  const server = createMetadataServer({
    identifier: {
      open(connection) {
        const session = identifier.open(connection)
        const current = () => {
          looks.count++
          return session.current()
        }
        return { ...session, current }
      },
    },
    protocols: [fallback, createSelfTestProtocol({ selfTest, probe: 'default/probe', fallback, clock })],
    clock,
    log,
    metrics,
  })
  const { port } = await server.listen('127.0.0.1', 0)
  t.teardown(() => server.close())
  const host = `127.0.0.1:${port}`

  async function ask(
    from: string,
    body?: unknown,
    path = SELF_TEST_PATH,
    method = body === undefined ? 'GET' : 'POST',
  ) {
    const call = request({ host: '127.0.0.1', port, path, method, localAddress: from, agent: false })
    call.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
    const [answer] = await once(call, 'response')
    let text = ''
    for await (const chunk of answer.setEncoding('utf8')) text += chunk
    const { date: _date, ...headers } = answer.headers
    return { status: answer.statusCode, headers, text, json: () => JSON.parse(text) }
  }
  const proved = async () => (await metrics.interceptionProved.get()).values[0]!.value
  const messages = () => lines.map(({ msg }) => msg)
  return { clock, metrics, lines, messages, selfTest, identifier, looks, server, host, ask, proved }
}

/** What a probe reports when all is well, but for the changed outcome. */
function report(instance: string, change: Partial<ProbeOutcome> = {}, intervalSeconds = 60) {
  const outcomes = METADATA_ADDRESSES.map(({ address }) => ({
    address,
    port: 80,
    protocol: 'tcp',
    ...(address === '169.254.169.254' ? { result: 'self', instance, ...change } : { result: 'silent' }),
  }))
  return { intervalSeconds, outcomes }
}

t.test('the probe is greeted, and its report is believed', async (t) => {
  const { ask, proved, selfTest, messages, clock } = await start(t)
  const greeting = await ask(PROBE)
  t.equal(greeting.status, 200)
  t.equal(greeting.headers.server, 'metadatad')
  t.match(greeting.json(), { instance: /^[0-9a-f]{32}$/, node: 'node-1', expected: { mode: 'redirect' } })
  t.equal(await proved(), 0)
  t.same(selfTest.status, { proved: false, reportedAt: undefined, stale: false, findings: [] })
  t.equal((await ask(PROBE, report(greeting.json().instance))).status, 200)
  t.equal(await proved(), 1)
  t.match(selfTest.status, { proved: true, reportedAt: clock.now() })
  t.strictSame(messages(), ['interception is proved'])
})

t.test('to anybody else the path is unknown, and nothing they report counts', async (t) => {
  const { ask, proved, selfTest, clock } = await start(t)
  const fine = report(selfTest.greeting.instance)
  const unknownPath = await ask(OTHER, undefined, '/.well-known/other')
  t.equal(unknownPath.status, 404)
  t.same({ ...(await ask(OTHER)), json: 0 }, { ...unknownPath, json: 0 })
  t.equal((await ask(OTHER, fine)).status, 404)
  t.equal((await ask(PROBE, fine, SELF_TEST_PATH, 'PUT')).status, 404)
  const asking = [ask(UNKNOWN), ask(UNKNOWN, fine)]
  while (clock.pending < 2) await settle()
  await clock.advance(900)
  for (const answer of await Promise.all(asking)) t.equal(answer.status, 404)
  t.equal(await proved(), 0)
  t.equal(selfTest.status.reportedAt, undefined)
})

t.test('a probe that the daemon does not know yet is waited for', async (t) => {
  const { ask, identifier, selfTest, proved } = await start(t)
  const asking = ask(UNKNOWN, report(selfTest.greeting.instance))
  while (identifier.waiting < 1) await settle()
  identifier.set(UNKNOWN, testCaller('probe'))
  t.equal((await asking).status, 200)
  t.equal(await proved(), 1)
})

t.test('a report is not believed if its pod changed before it had arrived', async (t) => {
  const { host, identifier, looks, selfTest, proved } = await start(t)
  const body = JSON.stringify(report(selfTest.greeting.instance))
  const socket = await dial(host, PROBE)
  const answer = drain(socket)
  socket.write(
    `POST ${SELF_TEST_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  socket.write(body.slice(0, 10))
  // Only the half that has not come keeps the answer from being written.
  await until(() => looks.count === 2)
  identifier.set(PROBE, testCaller('other'))
  socket.write(body.slice(10))
  t.match(await answer, /^HTTP\/1.1 404 /)
  t.equal(await proved(), 0)
})

t.test('gaps are told once while they stay the same, and counted each time', async (t) => {
  const { ask, clock, selfTest, metrics, messages, lines, proved } = await start(t)
  const { instance } = selfTest.greeting
  for (let i = 0; i < 3; i++) {
    await ask(PROBE, report(instance, { result: 'silent' }))
    await clock.advance(60_000)
  }
  t.strictSame(messages(), ['interception has gaps'])
  t.strictSame(lines[0]!.findings, ['169.254.169.254 tcp/80 was not answered'])
  t.equal(await proved(), 0)
  t.match(await metrics.registry.metrics(), /metadatad_interception_findings_total\{kind="unanswered"\} 3/)
  await ask(PROBE, report(instance))
  await clock.advance(60_000)
  await ask(PROBE, report(instance, { result: 'silent' }))
  t.strictSame(messages(), ['interception has gaps', 'interception is proved', 'interception has gaps'])
})

t.test('what was proved is not any more when five reports are missing', async (t) => {
  const { ask, clock, selfTest, messages, proved } = await start(t)
  const { instance } = selfTest.greeting
  await ask(PROBE, report(instance, {}, 10))
  await clock.advance(49_999)
  t.equal(await proved(), 1)
  await clock.advance(1)
  t.equal(await proved(), 0)
  t.match(selfTest.status, { proved: false, stale: true })
  t.strictSame(messages(), ['interception is proved', 'interception is not proved any more: no reports'])
  await ask(PROBE, report(instance, {}, 10))
  t.equal(await proved(), 1)
})

t.test(
  'answers of a predecessor count for nothing during an update, and are an alarm after it',
  async (t) => {
    const { ask, clock, selfTest, messages, proved } = await start(t)
    const foreign = report('ffffffffffffffffffffffffffffffff')
    t.equal((await ask(PROBE, foreign)).status, 409)
    t.equal(selfTest.status.reportedAt, undefined)
    t.equal((await ask(PROBE, report(selfTest.greeting.instance))).status, 200)
    await clock.advance(30_000)
    t.equal((await ask(PROBE, foreign)).status, 200)
    t.match(selfTest.status, { proved: false, findings: [{ kind: 'foreign' }] })
    t.equal(await proved(), 0)
    t.equal(messages().at(-1), 'interception has gaps')
  },
)

t.test('a daemon that stops takes no more reports', async (t) => {
  const { ask, selfTest, clock, proved } = await start(t)
  const fine = report(selfTest.greeting.instance)
  selfTest.stop()
  t.equal((await ask(PROBE, fine)).status, 409)
  t.equal(await proved(), 0)
  t.equal(clock.pending, 0)
})

t.test('a report behind a request that still waits has been read away, and is refused', async (t) => {
  const { host, identifier, selfTest, proved } = await start(t)
  const body = JSON.stringify(report(selfTest.greeting.instance))
  const head = `${SELF_TEST_PATH} HTTP/1.1\r\nHost: x\r\n`
  const socket = await dial(host, UNKNOWN)
  const answers = drain(socket)
  const post = `POST ${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  socket.write(`GET ${head}\r\n${post}`)
  await until(() => identifier.waiting === 1)
  // Connections are read in turn: when this one is answered, the other has been read to its end.
  await exchange(host, PROBE, `GET ${head}Connection: close\r\n\r\n`)
  identifier.set(UNKNOWN, testCaller('probe'))
  t.match(await answers, /^HTTP\/1.1 200 [\s\S]*HTTP\/1.1 400 /)
  t.equal(await proved(), 0)
})

t.test('a report that is broken, too long or too early is refused', async (t) => {
  const { ask, clock, selfTest, host } = await start(t)
  const fine = report(selfTest.greeting.instance)
  t.equal((await ask(PROBE, '{')).status, 400)
  t.equal((await ask(PROBE, ' '.repeat(16 * 1024 + 1))).status, 400)
  t.equal((await ask(PROBE, `${JSON.stringify(fine)}${' '.repeat(4_000)}`)).status, 200)
  t.equal((await ask(PROBE, fine)).status, 429)
  await clock.advance(1_000)
  t.equal((await ask(PROBE, fine)).status, 200)
  const empty = `POST ${SELF_TEST_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
  t.match(await exchange(host, PROBE, empty), /^HTTP\/1.1 400 /)
  const forwarded = `GET ${SELF_TEST_PATH} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: y\r\nConnection: close\r\n\r\n`
  t.match(await exchange(host, PROBE, forwarded), /^HTTP\/1.1 403 /)
})

t.test('a client that breaks off in the middle of a report leaves nothing behind', async (t) => {
  const { host, looks, server, selfTest } = await start(t)
  const socket = await dial(host, PROBE)
  socket.write(`POST ${SELF_TEST_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`)
  await until(() => looks.count === 2)
  socket.resetAndDestroy()
  await server.close()
  t.equal(selfTest.status.reportedAt, undefined)
})
