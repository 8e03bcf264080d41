import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { type CloudCall, createCloudRequest } from '../../src/exchange/cloud-request.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { HastyClock } from './hasty-clock.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A server that answers the n-th request with the n-th handler, the last one for all that follow. */
async function setUp(t: Test, ...handlers: Handler[]) {
  let received = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const handler = handlers[Math.min(received++, handlers.length - 1)]!
      handler(request, response, Buffer.concat(chunks).toString())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dispatcher = new Agent()
  t.teardown(async () => {
    await dispatcher.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const clock = new HastyClock()
  const metrics = createMetrics()
  const request = createCloudRequest({ dispatcher, clock, metrics, random: () => 0.5 })
  const { port } = server.address() as AddressInfo
  const controller = new AbortController()
  return {
    clock,
    server,
    controller,
    get received() {
      return received
    },
    call: (change: Partial<CloudCall<string>> = {}) =>
      request<string>({
        call: 'test',
        service: 'The cloud',
        url: `http://127.0.0.1:${port}/v1/token`,
        body: { json: {} },
        signal: controller.signal,
        classify: textOf,
        ...change,
      }),
    async outcomes() {
      const { values } = await metrics.exchanges.get()
      return values.map(({ labels, value }) => [labels.call, labels.outcome, value])
    },
  }
}

function textOf({
  status,
  text,
  retryAfterMs,
}: {
  status: number
  text: string
  retryAfterMs: number | undefined
}) {
  if (status === 200) return text
  throw new MetadatadError(status >= 500 ? 'EXCHANGE_UNAVAILABLE' : 'EXCHANGE_REFUSED', 'refused', {
    fault: 'upstream',
    retryable: status >= 500,
    publicMessage: 'Refused.',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

const answer =
  (status: number, text = '', headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    void response.writeHead(status, headers).end(text)

t.test('a form is sent as a form, with its secrets in the clear on the wire only', async (t) => {
  const seen: unknown[] = []
  const it = await setUp(t, ({ method, url, headers }, response, body) => {
    seen.push(method, url, headers['content-type'], headers.authorization, body)
    response.end('fine')
  })
  t.equal(await it.call({ body: { form: { a: '1 &2', token: new Secret('t=k') } } }), 'fine')
  t.strictSame(seen, [
    'POST',
    '/v1/token',
    'application/x-www-form-urlencoded',
    undefined,
    'a=1+%262&token=t%3Dk',
  ])
  t.strictSame(await it.outcomes(), [['test', 'ok', 1]])
  t.equal(it.clock.limits, 0)
})

t.test('JSON is sent as JSON, with a bearer token and headers', async (t) => {
  const seen: unknown[] = []
  const it = await setUp(t, ({ headers }, response, body) => {
    seen.push(headers['content-type'], headers.authorization, headers['x-a'], body)
    response.end()
  })
  await it.call({ body: { json: { a: ['ü'] } }, bearer: new Secret('tok'), headers: { 'x-a': 'b' } })
  t.strictSame(seen, ['application/json', 'Bearer tok', 'b', '{"a":["ü"]}'])
})

t.test('what is transient is tried again after a jittered wait', async (t) => {
  const it = await setUp(t, answer(503), answer(500), answer(200, 'fine'))
  t.equal(await it.call(), 'fine')
  t.strictSame(it.clock.waits, [100, 200])
  t.strictSame(await it.outcomes(), [
    ['test', 'EXCHANGE_UNAVAILABLE', 2],
    ['test', 'ok', 1],
  ])
})

t.test('what is transient is tried four times at most', async (t) => {
  const it = await setUp(t, answer(503))
  await t.rejects(it.call(), { code: 'EXCHANGE_UNAVAILABLE' })
  t.equal(it.received, 4)
  t.equal(it.clock.limits, 0)
})

t.test('a refusal is final at once', async (t) => {
  const it = await setUp(t, answer(403))
  await t.rejects(it.call(), { code: 'EXCHANGE_REFUSED' })
  t.equal(it.received, 1)
  t.strictSame(it.clock.waits, [])
})

t.test('a token called dead is not sent again', async (t) => {
  const it = await setUp(t, answer(401))
  const classify = () => {
    throw new MetadatadError('EXCHANGE_SUBJECT_EXPIRED', 'dead', {
      fault: 'upstream',
      retryable: true,
      publicMessage: 'Dead.',
    })
  }
  await t.rejects(it.call({ classify }), { code: 'EXCHANGE_SUBJECT_EXPIRED' })
  t.equal(it.received, 1)
})

t.test('Retry-After is waited for, and the jitter on top of it', async (t) => {
  const it = await setUp(t, answer(503, '', { 'retry-after': '2' }), answer(200, 'fine'))
  t.equal(await it.call(), 'fine')
  t.strictSame(it.clock.waits, [2_100])
})

t.test('a Retry-After beyond 4 s ends the call at once, and is handed on', async (t) => {
  for (const seconds of [4, 5, 60]) {
    const it = await setUp(t, answer(503, '', { 'retry-after': String(seconds) }))
    await t.rejects(it.call(), { code: 'EXCHANGE_UNAVAILABLE', retryAfterMs: seconds * 1_000 })
    t.equal(it.received, 1)
  }
})

t.test('a broken connection is tried again', async (t) => {
  const it = await setUp(t, (request) => request.socket.resetAndDestroy(), answer(200, 'fine'))
  t.equal(await it.call(), 'fine')
})

t.test('a body that ends early is tried again', async (t) => {
  const it = await setUp(
    t,
    (request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('12345', () => request.socket.destroy())
    },
    answer(200, 'fine'),
  )
  t.equal(await it.call(), 'fine')
})

t.test('an attempt that hangs is given up after 5 s, and the next one made', async (t) => {
  const it = await setUp(t, () => it.clock.expire(5_000), answer(200, 'fine'))
  t.equal(await it.call(), 'fine')
  t.equal(it.clock.limits, 0)
})

t.test('a body that trickles is given up after 5 s', async (t) => {
  const it = await setUp(
    t,
    (_, response) => response.writeHead(200).write('1', () => setImmediate(() => it.clock.expire(5_000))),
    answer(200, 'fine'),
  )
  t.equal(await it.call(), 'fine')
})

t.test('the whole call ends after 15 s', async (t) => {
  const it = await setUp(t, () => it.clock.expire(5_000))
  await t.rejects(it.call(), {
    code: 'EXCHANGE_UNAVAILABLE',
    retryable: true,
    publicMessage: 'The cloud could not be reached. Try again.',
  })
  t.equal(it.received, 3)
  t.equal(it.clock.limits, 0)
})

t.test('the signal ends an attempt', async (t) => {
  const it = await setUp(t, () => it.controller.abort())
  await t.rejects(it.call(), { code: 'EXCHANGE_UNAVAILABLE' })
  t.equal(it.received, 1)
  t.equal(it.clock.limits, 0)
})

t.test('a signal that is aborted already sends nothing', async (t) => {
  const it = await setUp(t, answer(200))
  it.controller.abort()
  await t.rejects(it.call(), { code: 'EXCHANGE_UNAVAILABLE' })
  t.equal(it.received, 0)
})

t.test('a call that is ended while it waits fails with what the cloud said, and asks no more', async (t) => {
  const it = await setUp(t, answer(503))
  const classify = () => {
    queueMicrotask(() => it.controller.abort())
    throw new MetadatadError('EXCHANGE_THROTTLED', 'slow down', {
      fault: 'upstream',
      retryable: true,
      publicMessage: 'Slow down.',
    })
  }
  await t.rejects(it.call({ classify }), { code: 'EXCHANGE_THROTTLED' })
  t.strictSame(await it.outcomes(), [['test', 'EXCHANGE_THROTTLED', 1]])
})

t.test('a redirect is not followed', async (t) => {
  const it = await setUp(t, answer(307, '', { location: '/elsewhere' }), answer(200, 'stolen'))
  await t.rejects(it.call(), { code: 'EXCHANGE_REFUSED' })
  t.equal(it.received, 1)
})

t.test('an answer of 256 KiB is read, a longer one is cut off', async (t) => {
  const exact = await setUp(t, answer(200, 'x'.repeat(262_144)))
  t.equal((await exact.call()).length, 262_144)
  const longer = await setUp(t, answer(200, 'x'.repeat(262_145)))
  await t.rejects(longer.call(), { code: 'EXCHANGE_MALFORMED' })

  const closed: Promise<unknown>[] = []
  const endless = await setUp(t, (_, response) => {
    const more = () => {
      while (response.write('x'.repeat(65_536)));
    }
    closed.push(once(response, 'close'))
    response.on('drain', more)
    more()
  })
  await t.rejects(endless.call(), { code: 'EXCHANGE_MALFORMED', retryable: true })
  t.equal(closed.length, 4)
  await Promise.all(closed)
})

t.test('no failure shows a token, however it is printed', async (t) => {
  const it = await setUp(t, (request) => request.socket.resetAndDestroy())
  const secret = 'a-very-secret-token'
  for (const token of [secret, `${secret}\n`]) {
    const error = await it
      .call({ bearer: new Secret(token), body: { form: { token: new Secret(token) } } })
      .then(
        () => t.fail('answered'),
        (error: unknown) => error,
      )
    t.match(error, { code: 'EXCHANGE_UNAVAILABLE' })
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), secret)
  }
})
