import { once } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { drain, failure, startEndpoints, testCaller } from '../support/endpoint-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/until.ts'

const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const PROJECT = '/computeMetadata/v1/project/project-id'
const HEAD = 'Host: metadata\r\nMetadata-Flavor: Google\r\n'

t.test('what is not HTTP gets an answer that says so, and the server lives on', async (t) => {
  const { ask, raw, close, metrics } = await startEndpoints()
  t.teardown(() => close())
  const cases: [string, string, RegExp][] = [
    ['garbage', 'garbage\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1\.1 400 /],
    [
      '64 KiB of headers',
      `GET / HTTP/1.1\r\n${HEAD}X: ${'a'.repeat(65536)}\r\n\r\n`,
      /^HTTP\/1\.1 431 [\s\S]*16 KiB/,
    ],
    ['a 64 KiB target', `GET /${'a'.repeat(65536)} HTTP/1.1\r\n${HEAD}\r\n`, /^HTTP\/1\.1 431 /],
    [
      'a length and chunks',
      `GET / HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['a control character', `GET /a\x01b HTTP/1.1\r\n${HEAD}\r\n`, /^HTTP\/1\.1 400 /],
    ['CONNECT', `CONNECT 10.0.0.1:443 HTTP/1.1\r\n${HEAD}\r\n`, /^HTTP\/1\.1 405 [\s\S]*Allow: GET, HEAD/],
  ]
  for (const [name, bytes, expected] of cases) {
    const answer = await raw(bytes)
    t.match(answer, expected, name)
    t.match(answer, /\r\nMetadata-Flavor: Google\r\n/, name)
    t.match(answer, /\r\nConnection: close\r\n/, name)
  }
  t.equal((await ask(TOKEN)).status, 200)
  // An answer is read before its connection is closed.
  await eventually(
    () => metrics.connections.get(),
    ({ values }) => values[0]!.value === 0,
  )
})

t.test('a request that can be read in two ways is refused', async (t) => {
  const { raw, close } = await startEndpoints()
  t.teardown(() => close())
  const flavor = 'Metadata-Flavor: Google\r\nConnection: close\r\n'
  const cases: [string, string][] = [
    ['two hosts', `GET ${TOKEN} HTTP/1.1\r\nHost: metadata\r\nHost: evil.example\r\n${flavor}\r\n`],
    [
      'two equal hosts',
      `GET ${TOKEN} HTTP/1.1\r\nHost: metadata\r\nHost: metadata\r\nHost: metadata\r\n${flavor}\r\n`,
    ],
    [
      'a coding that nobody knows',
      `GET ${PROJECT} HTTP/1.1\r\nHost: metadata\r\nTransfer-Encoding: xchunked\r\n${flavor}\r\n`,
    ],
    ['no host', `GET ${TOKEN} HTTP/1.1\r\n${flavor}\r\n`],
    ['absolute form', `GET http://metadata${TOKEN} HTTP/1.1\r\nHost: metadata\r\n${flavor}\r\n`],
    [
      'dot segments',
      `GET /computeMetadata/v1/x/../project/project-id HTTP/1.1\r\nHost: metadata\r\n${flavor}\r\n`,
    ],
    [
      'an encoded slash',
      `GET /computeMetadata%2fv1/project/project-id HTTP/1.1\r\nHost: metadata\r\n${flavor}\r\n`,
    ],
    [
      'a backslash',
      `GET /computeMetadata\\v1/project/project-id HTTP/1.1\r\nHost: metadata\r\n${flavor}\r\n`,
    ],
    ['asterisk form', `OPTIONS * HTTP/1.1\r\nHost: metadata\r\n${flavor}\r\n`],
    ...['\0', '\t', '\x1f', '\x7f', '\x80', '\xff'].map((byte): [string, string] => [
      `${JSON.stringify(byte)} in the query`,
      `GET ${TOKEN}?a=${byte} HTTP/1.1\r\nHost: metadata\r\n${flavor}\r\n`,
    ]),
  ]
  for (const [name, bytes] of cases) {
    const answer = await raw(bytes)
    t.match(answer, /^HTTP\/1\.1 400 [\s\S]*Metadata-Flavor: Google/, name)
    t.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, `${name}: one answer`)
  }
})

t.test('a path has the same meaning however it is escaped', async (t) => {
  const { ask, close } = await startEndpoints()
  t.teardown(() => close())
  for (const path of [
    '/%63omputeMetadata/v1/project/project-id',
    '//computeMetadata//v1/project/project-id',
  ]) {
    t.equal((await ask(path)).body, 'my-project', path)
    t.equal((await ask(path, { plain: true })).status, 403, path)
  }
  t.equal((await ask('/%6catest/user-data')).headers.server, 'EC2ws')
})

t.test('HTTP/1.0 without a Host, as old clients speak it, is answered', async (t) => {
  const { raw, close } = await startEndpoints()
  t.teardown(() => close())
  t.match(
    await raw(`GET ${PROJECT} HTTP/1.0\r\nMetadata-Flavor: Google\r\n\r\n`),
    /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nmy-project$/,
  )
})

t.test('an offered upgrade is ignored, as is an expectation', async (t) => {
  const { ask, close } = await startEndpoints()
  t.teardown(() => close())
  const upgrade = { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABk' }
  t.equal((await ask(PROJECT, { headers: upgrade })).body, 'my-project')
  const answer = await ask(PROJECT, { headers: { Expect: 'a miracle' } })
  t.equal(answer.status, 200)
  t.equal(answer.headers['metadata-flavor'], 'Google')
})

t.test('X-Forwarded-For counts even behind thousands of headers', async (t) => {
  const { raw, close } = await startEndpoints()
  t.teardown(() => close())
  const many = 'a:\r\n'.repeat(3000)
  const bytes = `GET ${TOKEN} HTTP/1.1\r\n${HEAD}${many}X-Forwarded-For: 10.1.1.1\r\nConnection: close\r\n\r\n`
  t.match(await raw(bytes), /^HTTP\/1\.1 403 /)
})

t.test('a body is read away, and one that does not end breaks the connection', async (t) => {
  const { ask, dial, raw, close } = await startEndpoints()
  t.teardown(() => close())
  t.equal(
    (await ask(PROJECT, { headers: { 'content-type': 'text/plain', 'content-length': '5' }, body: 'hello' }))
      .body,
    'my-project',
  )
  const next = `GET ${PROJECT} HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`
  const both = await raw(`GET / HTTP/1.1\r\n${HEAD}Content-Length: 5\r\n\r\nhello${next}`)
  t.match(both, /computeMetadata\/\n[\s\S]*my-project$/)
  const socket = await dial()
  socket.write(`GET / HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
  const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`
  await once(socket, 'data')
  const end = drain(socket)
  for (let sent = 0; sent < 64 && socket.writable; sent++) socket.write(chunk)
  t.equal(await end, '')
})

t.test('pipelined requests are answered in their order', async (t) => {
  const { raw, identifier, dial, close } = await startEndpoints()
  t.teardown(() => close())
  const one = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${HEAD}${more}\r\n`
  await raw(one(TOKEN, 'Connection: close\r\n'))
  // Answers that are there at once go out together, however many they are.
  const text = await raw(
    one(TOKEN) + one(PROJECT).repeat(99) + one('/') + one(TOKEN, 'Connection: close\r\n'),
  )
  t.strictSame(text.match(/"ya29|my-project(?=HTTP)|computeMetadata/g), [
    '"ya29',
    ...Array.from({ length: 99 }, () => 'my-project'),
    'computeMetadata',
    '"ya29',
  ])

  // Held ones hold those behind them, and more of them than a client has use for end the connection.
  const socket = await dial('127.0.1.7')
  socket.write(one(TOKEN).repeat(3))
  t.equal(await drain(socket), '')
  const patient = await dial('127.0.1.7')
  patient.write(one(TOKEN) + one(TOKEN, 'Connection: close\r\n'))
  await until(() => identifier.waiting === 1)
  identifier.set('127.0.1.7', testCaller('late'))
  t.equal((await drain(patient)).split('ya29.late').length, 3)
})

t.test(
  'garbage behind a held request ends the connection, and the answer that comes later goes nowhere',
  async (t) => {
    const { ask, dial, identifier, close } = await startEndpoints()
    t.teardown(() => close())
    const socket = await dial('127.0.1.8')
    socket.write(`GET ${TOKEN} HTTP/1.1\r\n${HEAD}\r\n`)
    await until(() => identifier.waiting === 1)
    const text = drain(socket)
    socket.write('garbage\r\n\r\n')
    t.match(await text, /^HTTP\/1\.1 400 /)
    identifier.set('127.0.1.8', testCaller('late'))
    t.equal((await ask(TOKEN)).status, 200)
  },
)

t.test('a slow client is cut', async (t) => {
  const { raw, close } = await startEndpoints({ limits: { requestTimeoutMs: 40 } })
  t.teardown(() => close())
  t.match(await raw('GET / HT'), /^HTTP\/1\.1 408 /)
  t.match(await raw(''), /^HTTP\/1\.1 408 /)
})

t.test('connections are bounded for each address and in all', async (t) => {
  const { ask, dial, close, metrics } = await startEndpoints({
    limits: { connections: 3, connectionsPerAddress: 2 },
  })
  t.teardown(() => close())
  const first = await dial('127.0.1.1')
  const second = await dial('127.0.1.1')
  t.equal(await drain(await dial('127.0.1.1')), '', 'one more than the address may have')
  const third = await dial('127.0.1.2')
  t.equal(await drain(await dial('127.0.1.3')), '', 'one more than there may be')
  const refused = await metrics.connectionsRefused.get()
  t.match(refused.values, [
    { labels: { limit: 'address' }, value: 1 },
    { labels: { limit: 'total' }, value: 1 },
  ])
  for (const socket of [first, second, third]) {
    const closed = once(socket, 'close')
    socket.resume().end()
    await closed
  }
  t.equal((await ask('/')).status, 200, 'room again')
})

t.test('answers are counted by protocol, route and status', async (t) => {
  const { ask, close, metrics } = await startEndpoints()
  t.teardown(() => close())
  for (const path of [
    '/',
    TOKEN,
    TOKEN,
    '/nowhere',
    '/latest/user-data',
    `${PROJECT}?wait_for_change=true&last_etag=0`,
  ])
    await ask(path)
  const { values } = await metrics.answers.get()
  const counts = values.map(({ labels, value }) =>
    [labels.protocol, labels.route, labels.status, value].join(' '),
  )
  t.strictSame(counts.sort(), [
    'aws none 404 1',
    'google none 404 1',
    'google root 200 1',
    'google token 200 2',
    'google value 200 1',
  ])
  const seconds = await metrics.answerSeconds.get()
  const observed = seconds.values.find(
    ({ labels, metricName }) => metricName?.endsWith('_count') && labels.protocol === 'google',
  )
  t.equal(observed?.value, 4, 'the long poll is left out')
})

t.test('a port that is taken is a coded failure', async (t) => {
  const { server, port, close } = await startEndpoints()
  t.teardown(() => close())
  await t.rejects(server.listen('127.0.0.1', port), { code: 'LISTEN_FAILED', retryable: false })
})

t.test('one server listens on several addresses', async (t) => {
  const { server, ask, close } = await startEndpoints()
  t.teardown(() => close())
  const { address, port } = await server.listen('127.0.0.2', 0)
  t.equal(address, '127.0.0.2')
  const response = await fetch(`http://127.0.0.2:${port}${PROJECT}`, {
    headers: { 'Metadata-Flavor': 'Google' },
  })
  t.equal(await response.text(), 'my-project')
  t.equal((await ask(PROJECT)).body, 'my-project')
})

t.test('while closing, open connections get one last answer and long polls end', async (t) => {
  const clock = new FakeClock()
  const { ask, dial, close } = await startEndpoints({ clock })
  const { etag } = (await ask(PROJECT)).headers
  const kept = await dial()
  kept.write(`GET ${PROJECT} HTTP/1.1\r\n${HEAD}\r\n`)
  await once(kept, 'data')
  const polling = await dial()
  polling.write(`GET ${PROJECT}?wait_for_change=true&last_etag=${etag} HTTP/1.1\r\n${HEAD}\r\n`)
  const polled = drain(polling)
  // A connection that is not accepted yet when its listener closes is reset.
  await until(() => clock.pending === 1)
  const closed = close(60_000)
  t.match(await polled, /^HTTP\/1\.1 200 [\s\S]*Connection: close\r\n\r\nmy-project$/)
  await t.rejects(ask('/'), { code: 'ECONNREFUSED' })
  kept.write(`GET ${PROJECT} HTTP/1.1\r\n${HEAD}\r\n`)
  t.match(await drain(kept), /^HTTP\/1\.1 200 [\s\S]*Connection: close\r\n[\s\S]*my-project$/)
  await closed
})

t.test('closing without grace breaks what is open', async (t) => {
  const { dial, identifier, close } = await startEndpoints()
  const held = await dial('127.0.1.9')
  const text = drain(held)
  held.write(`GET ${TOKEN} HTTP/1.1\r\n${HEAD}\r\n`)
  await until(() => identifier.waiting === 1)
  await close()
  t.equal(await text, '')
})

t.test('no bytes at all hurt the server', async (t) => {
  const { ask, dial, close } = await startEndpoints()
  t.teardown(() => close())
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      'GET / HTTP/1.1',
      `GET ${TOKEN}?%zz&scopes=%00 HTTP/1.1`,
      'Host: metadata',
      'Metadata-Flavor: Google',
    ),
    fc.constantFrom(
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
      'Upgrade: x',
      'Connection: upgrade',
      'Host: [',
      '',
    ),
  )
  const bytes = fc.array(line, { maxLength: 8 }).map((lines) => `${lines.join('\r\n')}\r\n\r\n\0`)
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      const socket = await dial()
      // Ended, or the server would wait for the rest of what is no whole request.
      socket.end(sent, 'latin1')
      const answer = await drain(socket)
      return answer === '' || answer.startsWith('HTTP/1.1 ')
    }),
    { numRuns: 200 },
  )
  t.equal((await ask(TOKEN)).status, 200)
})

t.test('a protocol that breaks is answered as a transient failure, and logged', async (t) => {
  const lines: string[] = []
  const note = (_: unknown, message: string) => lines.push(message)
  const log = { debug() {}, info() {}, warn() {}, error: note }
  const { ask, credentials, identifier, close } = await startEndpoints({ log })
  t.teardown(() => close())
  credentials.gate = () => Promise.reject(new TypeError('a defect'))
  const answer = await ask(TOKEN)
  t.equal(answer.status, 503)
  t.equal(answer.headers['retry-after'], '1')
  t.notMatch(answer.body, /defect/)
  t.strictSame(lines, ['request failed unexpectedly'])
  identifier.set(
    '127.0.0.1',
    testCaller('broken', failure('IDENTITY_INVALID', false, 'The annotation is no e-mail.')),
  )
  t.equal((await ask(TOKEN)).status, 403)
})
