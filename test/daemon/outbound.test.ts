import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createOutbound } from '../../src/daemon/outbound.ts'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'

/** A cloud behind a certificate authority of its own, and the file that holds its certificate. */
async function cloud(t: Test) {
  const sandbox = await startSandbox()
  t.teardown(() => sandbox.close())
  const caFile = join(t.testdir({}), 'ca.pem')
  await writeFile(caFile, sandbox.caPem)
  return { caFile, caPem: sandbox.caPem, origin: new URL(sandbox.google.stsUrl).origin }
}

/** A proxy that tunnels, and what it was asked for. */
async function proxy(t: Test) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('plain')
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', (request, socket: Socket) => {
    const { authorization, 'proxy-authorization': proxied } = request.headers
    asked.push([request.method, request.url, authorization, proxied].filter(Boolean).join(' '))
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { asked, port: (server.address() as AddressInfo).port }
}

type Upstream = Parameters<typeof createOutbound>[0]

/** The status that a request gets, or the code of its error. */
async function status(t: Test, origin: string, upstream: Upstream, env: Record<string, string> = {}) {
  const dispatcher = createOutbound(upstream, env)
  t.teardown(() => dispatcher.destroy())
  try {
    const response = await dispatcher.request({ origin, path: '/nothing', method: 'GET' })
    await response.body.dump()
    return response.statusCode
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

t.test('a private authority is trusted from its file, and not without', async (t) => {
  const { caFile, origin } = await cloud(t)
  t.equal(await status(t, origin, { caFile, proxy: 'none' }), 404)
  t.match(await status(t, origin, { caFile: undefined, proxy: 'none' }), /CERT|VERIFY|ISSUER/)
  t.equal(await status(t, origin, { caFile, proxy: 'environment' }), 404, 'with no proxy in the environment')
})

t.test(
  'a file that can not be read, or holds no certificate, is a mistake in the configuration',
  async (t) => {
    const directory = t.testdir({ 'empty.pem': '', 'text.pem': 'no certificate\n' })
    for (const name of ['absent.pem', 'empty.pem', 'text.pem', '.']) {
      const upstream: Upstream = { caFile: join(directory, name), proxy: 'none' }
      t.throws(() => createOutbound(upstream, {}), { code: 'CONFIG_INVALID' }, name)
    }
  },
)

for (const name of ['HTTPS_PROXY', 'https_proxy']) {
  t.test(`${name} is used, and the cloud's certificate is still verified behind it`, async (t) => {
    const { caFile, origin } = await cloud(t)
    const { asked, port } = await proxy(t)
    const env = { [name]: `http://user:p%40ss@127.0.0.1:${port}` }
    t.equal(await status(t, origin, { caFile, proxy: 'environment' }, env), 404)
    const basic = Buffer.from('user:p@ss').toString('base64')
    t.same(asked, [`CONNECT ${new URL(origin).host} Basic ${basic}`])
    t.match(await status(t, origin, { caFile: undefined, proxy: 'environment' }, env), /CERT|VERIFY|ISSUER/)
  })
}

t.test('a proxy may be named without a scheme, as curl and Go allow', async (t) => {
  const { caFile, origin } = await cloud(t)
  for (const host of ['127.0.0.1', 'localhost']) {
    const { asked, port } = await proxy(t)
    const env = { HTTPS_PROXY: `${host}:${port}` }
    t.equal(await status(t, origin, { caFile, proxy: 'environment' }, env), 404)
    t.equal(asked.length, 1)
  }
})

t.test('NO_PROXY, an empty variable, and upstream.proxy none lead past the proxy', async (t) => {
  const { caFile, origin } = await cloud(t)
  const { asked, port } = await proxy(t)
  const HTTPS_PROXY = `http://127.0.0.1:${port}`
  const around: [Upstream['proxy'], Record<string, string>][] = [
    ['environment', { HTTPS_PROXY, NO_PROXY: 'other.example,127.0.0.1' }],
    ['environment', { HTTPS_PROXY, no_proxy: '127.0.0.1' }],
    ['environment', { HTTPS_PROXY, https_proxy: '' }],
    ['none', { HTTPS_PROXY }],
  ]
  for (const [proxy, env] of around) t.equal(await status(t, origin, { caFile, proxy }, env), 404)
  t.same(asked, [])
})

t.test('HTTP_PROXY is not for https', async (t) => {
  const { caFile, origin } = await cloud(t)
  const { asked, port } = await proxy(t)
  const env = { HTTP_PROXY: `http://127.0.0.1:${port}` }
  t.equal(await status(t, origin, { caFile, proxy: 'environment' }, env), 404)
  t.same(asked, [])
})

t.test(
  'a proxy that is no address is a mistake in the configuration that is not repeated aloud',
  async (t) => {
    for (const HTTPS_PROXY of ['http://user:secret@', 'ftp://user:secret@proxy:21', 'user:secret@pro xy']) {
      try {
        createOutbound({ caFile: undefined, proxy: 'environment' }, { HTTPS_PROXY })
        t.fail(HTTPS_PROXY)
      } catch (error) {
        t.match(error, { code: 'CONFIG_INVALID', message: /HTTPS_PROXY/ })
        t.notMatch(String((error as Error).stack), 'secret')
        t.equal((error as Error).cause, undefined)
      }
    }
  },
)
