import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import type { KubernetesRequest } from '../../src/kubernetes/client.ts'
import type { KubernetesConnection } from '../../src/kubernetes/connection.ts'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { answer, type Handler, startApiServer } from './api-server.ts'

const never = new AbortController().signal
const listPods: KubernetesRequest = { verb: 'list', resource: 'pods', path: '/api/v1/pods', signal: never }
const watchPods: KubernetesRequest = { ...listPods, verb: 'watch' }

async function setUp(
  t: Test,
  handler: Handler,
  connect?: (connection: KubernetesConnection) => KubernetesConnection,
) {
  const server = await startApiServer(handler)
  const metrics = createMetrics()
  const connection = connect?.(server.connection) ?? server.connection
  const client = createKubernetesClient(connection, { clock: systemClock, log: silentLog, metrics })
  t.teardown(async () => {
    await client.close()
    await server.close()
  })
  return { server, client, metrics }
}

async function failure(promise: Promise<unknown>): Promise<MetadatadError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof MetadatadError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

async function drain(lines: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen = []
  for await (const line of lines) seen.push(line)
  return seen
}

t.test('a request carries path, query, token and body, and gives the parsed answer', async (t) => {
  const { client, metrics } = await setUp(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () =>
      answer(response, 201, {
        method: request.method,
        url: request.url,
        authorization: request.headers.authorization,
        type: request.headers['content-type'],
        body: JSON.parse(String(Buffer.concat(chunks))),
      }),
    )
  })
  const got = await client.request({
    ...listPods,
    verb: 'create',
    query: { a: 'x y&z' },
    body: { kind: 'Pod' },
  })
  t.strictSame(got, {
    method: 'POST',
    url: '/api/v1/pods?a=x+y%26z',
    authorization: 'Bearer the-token',
    type: 'application/json',
    body: { kind: 'Pod' },
  })
  const { values } = await metrics.kubernetesRequests.get()
  t.strictSame(
    values.map(({ labels }) => labels),
    [{ verb: 'create', resource: 'pods', outcome: 'ok' }],
  )
})

t.test('a server below a path is asked below that path', async (t) => {
  const { client } = await setUp(
    t,
    (request, response) => answer(response, 200, { url: request.url }),
    (connection) => ({ ...connection, server: `${connection.server}/k8s/clusters/c-1` }),
  )
  t.strictSame(await client.request(listPods), { url: '/k8s/clusters/c-1/api/v1/pods' })
})

t.test("refusals become coded errors that name verb, resource and the server's words", async (t) => {
  const cases = [
    [400, undefined, 'KUBERNETES_INVALID', false],
    [403, 'Forbidden', 'KUBERNETES_FORBIDDEN', false],
    [404, 'NotFound', 'KUBERNETES_NOT_FOUND', true],
    [409, 'Conflict', 'KUBERNETES_CONFLICT', true],
    [410, 'Expired', 'KUBERNETES_EXPIRED', true],
    [422, 'Invalid', 'KUBERNETES_INVALID', false],
    [429, 'TooManyRequests', 'KUBERNETES_UNAVAILABLE', true],
    [500, 'InternalError', 'KUBERNETES_UNAVAILABLE', true],
    [503, 'ServiceUnavailable', 'KUBERNETES_UNAVAILABLE', true],
    [302, undefined, 'KUBERNETES_INVALID', false],
  ] as const
  let next: (typeof cases)[number]
  const { client } = await setUp(t, (_, response) => {
    const [status, reason] = next
    answer(
      response,
      status,
      { kind: 'Status', reason, message: 'because of tenant-b' },
      { 'retry-after': '7' },
    )
  })
  for (next of cases) {
    const error = await failure(client.request(listPods))
    const [status, reason, code, retryable] = next
    t.match(error, { code, retryable, retryAfterMs: 7000, providerCode: reason ?? String(status) })
    t.match(error.message, /list pods.*because of tenant-b/)
    t.notMatch(error.publicMessage, /tenant-b/)
  }
})

t.test('a 401 renews the credentials and repeats the call once', async (t) => {
  const renewals: boolean[] = []
  let good = 'Bearer second'
  const { client } = await setUp(
    t,
    (request, response) => {
      if (request.headers.authorization === good) answer(response, 200, {})
      else answer(response, 401, { kind: 'Status', message: 'Unauthorized' })
    },
    (connection) => ({
      ...connection,
      async credentials(renew, signal) {
        renewals.push(renew)
        const { tls } = await connection.credentials(renew, signal)
        return { tls, token: new Secret(renew ? 'second' : 'first') }
      },
    }),
  )
  t.strictSame(await client.request(listPods), {})
  t.strictSame(renewals, [false, true])
  good = 'Bearer third'
  t.match(await failure(client.request(listPods)), { code: 'KUBERNETES_FORBIDDEN', providerCode: '401' })
  t.strictSame(renewals, [false, true, false, true])
})

t.test('a call whose connection breaks before the answer is made once more, and not twice', async (t) => {
  let calls = 0
  let breaks = 1
  const { client } = await setUp(t, (request, response) => {
    calls += 1
    if (breaks-- > 0) request.socket.destroy()
    else answer(response, 200, {})
  })
  t.strictSame(await client.request(listPods), {})
  t.equal(calls, 2)
  breaks = 5
  t.match(await failure(client.request(listPods)), { code: 'KUBERNETES_UNAVAILABLE', retryable: true })
  t.equal(calls, 4)
})

t.test("a server whose certificate is not of the cluster's authority gets nothing", async (t) => {
  let asked = false
  const other = await startApiServer((_, response) => answer(response, 200, {}))
  t.teardown(other.close)
  const { client } = await setUp(
    t,
    (_, response) => {
      asked = true
      answer(response, 200, {})
    },
    (connection) => ({ ...connection, credentials: () => other.connection.credentials(false, never) }),
  )
  t.match(await failure(client.request(listPods)), { code: 'KUBERNETES_UNAVAILABLE' })
  t.equal(asked, false)
})

t.test('a client certificate is presented, and a new one gets a new connection', async (t) => {
  const seen: string[] = []
  const server = await startApiServer((request, response) => {
    seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
    answer(response, 200, {})
  })
  const [first, second] = await Promise.all(
    ['first', 'second'].map(async (name) => ({
      ...server.tls,
      ...(await server.authority.issueClient(name)),
    })),
  )
  let tls = first!
  const connection: KubernetesConnection = {
    server: server.url,
    credentials: async () => ({ token: undefined, tls }),
  }
  const client = createKubernetesClient(connection, {
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  })
  t.teardown(async () => {
    await client.close()
    await server.close()
  })
  await client.request(listPods)
  await client.request(listPods)
  tls = second!
  await client.request(listPods)
  t.strictSame(seen, ['first', 'first', 'second'])
})

t.test('an answer that never comes ends with the signal', async (t) => {
  const { client } = await setUp(t, () => {})
  const signal = AbortSignal.timeout(30)
  t.match(await failure(client.request({ ...listPods, signal })), {
    code: 'KUBERNETES_UNAVAILABLE',
    retryable: true,
  })
})

t.test('an answer that stops in the middle ends with the signal', async (t) => {
  const { client } = await setUp(t, (_, response) => {
    response.writeHead(200)
    response.write('{"items":')
  })
  const signal = AbortSignal.timeout(200)
  t.match(await failure(client.request({ ...listPods, signal })), { code: 'KUBERNETES_UNAVAILABLE' })
})

t.test('an answer that is no JSON is an error that quotes nothing of it', async (t) => {
  const { client } = await setUp(t, (_, response) => response.end('{"token": eyJhbGciOi'))
  const error = await failure(client.request(listPods))
  t.match(error, { code: 'KUBERNETES_INVALID', retryable: true })
  t.notMatch(JSON.stringify([error.message, String(error.cause)]), /eyJ/)
})

t.test('an endless answer is cut off', async (t) => {
  const { client } = await setUp(t, (_, response) => {
    const chunk = Buffer.alloc(1 << 20, 0x20)
    const push = () => {
      while (!response.destroyed && response.write(chunk));
      response.once('drain', push)
    }
    push()
  })
  t.match(await failure(client.request(listPods)), { code: 'KUBERNETES_INVALID', message: /longer than/ })
})

t.test('the resource label comes from a fixed set', async (t) => {
  const { client, metrics } = await setUp(t, (_, response) => answer(response, 200, {}))
  await client.request({ ...listPods, resource: 'tenants-own-kind' })
  t.match((await metrics.kubernetesRequests.get()).values, [{ labels: { resource: 'other' } }])
})

t.test('a watch gives every line, whatever the chunks', async (t) => {
  const objects = [{ name: 'grüße-🚀' }, { name: 'b' }, { name: '🙂'.repeat(100) }]
  const bytes = Buffer.from(objects.map((object) => `${JSON.stringify(object)}\n`).join(''))
  const { client } = await setUp(t, (_, response) => {
    response.socket!.setNoDelay(true)
    for (const byte of bytes) response.write(Buffer.of(byte))
    response.end()
  })
  t.strictSame(await drain(await client.watch(watchPods)), objects)
})

t.test('a watch ends with an error at a line that is too long, broken off, or no JSON', async (t) => {
  let body = ''
  const { client } = await setUp(t, (_, response) => response.end(body))
  const cases = [
    [`{"ok":1}\n"${'x'.repeat(8 * 1024 * 1024)}"\n`, 'KUBERNETES_INVALID'],
    [`"${'x'.repeat(9 * 1024 * 1024)}`, 'KUBERNETES_INVALID'],
    ['{"ok":1}\n{"type":"ADD', 'KUBERNETES_UNAVAILABLE'],
    ['{"ok":1}\nnonsense\n', 'KUBERNETES_INVALID'],
  ] as const
  for (const [text, code] of cases) {
    body = text
    t.match(await failure(client.watch(watchPods).then(drain)), { code })
  }
})

t.test('an aborted watch ends at once, also with lines still unread', async (t) => {
  const { client } = await setUp(t, (_, response) => response.write('{"n":1}\n{"n":2}\n'))
  const controller = new AbortController()
  const seen: unknown[] = []
  const error = await failure(
    (async () => {
      for await (const line of await client.watch({ ...watchPods, signal: controller.signal })) {
        seen.push(line)
        controller.abort()
      }
    })(),
  )
  t.strictSame(seen, [{ n: 1 }])
  t.match(error, { code: 'KUBERNETES_UNAVAILABLE' })
})

t.test('leaving a watch closes its connection', async (t) => {
  const closed = Promise.withResolvers<void>()
  const { client } = await setUp(t, (_, response) => {
    response.write('{"n":1}\n')
    response.once('close', () => closed.resolve())
  })
  for await (const line of await client.watch(watchPods)) {
    t.strictSame(line, { n: 1 })
    break
  }
  await closed.promise
})

t.test('a watch that nobody reads yet does not end the process when it breaks', async (t) => {
  const { client, server } = await setUp(t, (_, response) => response.write('{"n":1}\n'))
  const lines = await client.watch(watchPods)
  await server.close().catch(() => {})
  t.match(await failure(drain(lines)), { code: 'KUBERNETES_UNAVAILABLE' })
})

t.test('a closed client refuses calls and breaks watches', async (t) => {
  const { client } = await setUp(t, (_, response) => response.write('{"n":1}\n'))
  const lines = await client.watch(watchPods)
  await client.close()
  t.match(await failure(drain(lines)), { code: 'KUBERNETES_UNAVAILABLE' })
  t.match(await failure(client.request(listPods)), { code: 'KUBERNETES_UNAVAILABLE' })
})
