import { chmod, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { KubernetesConnection } from '../../src/kubernetes/connection.ts'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { parseExecCredential } from '../../src/kubernetes/exec-plugin.ts'
import { inCluster } from '../../src/kubernetes/in-cluster.ts'
import { loadConnection } from '../../src/kubernetes/load-connection.ts'
import { parseKubeconfig } from '../../src/kubernetes/parse-kubeconfig.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { answer, startApiServer } from './api-server.ts'

const signal = new AbortController().signal
const tokenOf = async (connection: KubernetesConnection, renew = false) =>
  (await connection.credentials(renew, signal)).token?.reveal()

interface Parts {
  cluster?: object
  user?: object
  extra?: object
}
// JSON is YAML.
function config({ cluster = {}, user = {}, extra = {} }: Parts = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u' } },
      { name: 'other', context: { cluster: 'c', user: 'v' } },
    ],
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443', ...cluster } }],
    users: [
      { name: 'u', user },
      { name: 'v', user: { token: 'other-token' } },
    ],
    ...extra,
  })
}
const parse = (yaml: string) =>
  parseKubeconfig(yaml, { path: '/etc/kube/config', context: undefined, env: {} })

t.test(
  'in a cluster, token and authority are read again after a minute, and at once after a 401',
  async (t) => {
    const directory = t.testdir({ token: 'one\n', 'ca.crt': 'CA 1' })
    const clock = new FakeClock()
    const connection = inCluster({ host: 'fd00::1', port: '443', directory, clock })
    t.equal(connection.server, 'https://[fd00::1]:443')
    const first = await connection.credentials(false, signal)
    t.equal(first.token?.reveal(), 'one')
    await writeFile(join(directory, 'token'), 'two\n')
    await clock.advance(59_000)
    const second = await connection.credentials(false, signal)
    t.equal(second.token?.reveal(), 'one')
    t.equal(second.tls, first.tls, 'connections are kept')
    await clock.advance(2_000)
    t.equal(await tokenOf(connection), 'two')
    await writeFile(join(directory, 'token'), 'three')
    await writeFile(join(directory, 'ca.crt'), 'CA 2')
    const renewed = await connection.credentials(true, signal)
    t.equal(renewed.token?.reveal(), 'three')
    t.equal(renewed.tls.ca, 'CA 2')
    await rm(join(directory, 'token'))
    t.equal(await tokenOf(connection, true), 'three', 'what was read last goes on')
  },
)

t.test('the explicit file wins over the cluster, and the cluster over KUBECONFIG', async (t) => {
  const directory = t.testdir({
    sa: { token: 'sa-token', 'ca.crt': 'CA' },
    explicit: config({ user: { token: 'explicit-token' } }),
    fromEnv: config({ user: { token: 'env-token' } }),
  })
  const env = {
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBECONFIG: join(directory, 'fromEnv'),
  }
  const all = { env, clock: systemClock, serviceAccountDirectory: join(directory, 'sa') }
  t.equal(
    await tokenOf(await loadConnection({ ...all, kubeconfig: join(directory, 'explicit') })),
    'explicit-token',
  )
  t.equal(
    await tokenOf(
      await loadConnection({ ...all, kubeconfig: join(directory, 'explicit'), context: 'other' }),
    ),
    'other-token',
  )
  t.equal(await tokenOf(await loadConnection(all)), 'sa-token')
  t.equal(
    await tokenOf(await loadConnection({ ...all, serviceAccountDirectory: join(directory, 'none') })),
    'env-token',
  )
  for (const KUBECONFIG of [undefined, '/a:/b', join(directory, 'missing')]) {
    await t.rejects(loadConnection({ env: { KUBECONFIG }, clock: systemClock }), { code: 'CONFIG_INVALID' })
  }
})

t.test('a kubeconfig gives server, authority, certificate and name', async (t) => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const parsed = parse(
    config({
      cluster: {
        server: 'https://api.example:6443/k8s/c-1/',
        'certificate-authority-data': base64('CA'),
        'tls-server-name': 'kubernetes',
      },
      user: { 'client-certificate': 'pki/cert.pem', 'client-key-data': base64('KEY'), tokenFile: '../token' },
    }),
  )
  t.strictSame(parsed, {
    server: 'https://api.example:6443/k8s/c-1',
    servername: 'kubernetes',
    insecure: false,
    ca: { data: 'CA' },
    cert: { file: '/etc/kube/pki/cert.pem' },
    key: { data: 'KEY' },
    token: undefined,
    tokenFile: '/etc/token',
    exec: undefined,
  })
})

t.test('a kubeconfig that can not be followed to the letter is refused, and the key named', async (t) => {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x' }
  const cases: [string, RegExp][] = [
    ['[', /no YAML/],
    ['', /current-context/],
    [config({ extra: { 'current-context': 'gone' } }), /no context "gone"/],
    [config({ extra: { clusters: [] } }), /no cluster "c"/],
    [config({ extra: { users: 'none' } }), /no user "u"/],
    [config({ cluster: { server: undefined } }), /no server/],
    [config({ cluster: { server: 'ftp://x' } }), /server is no/],
    [config({ cluster: { 'proxy-url': 'http://proxy' } }), /proxy-url/],
    [
      config({ cluster: { 'certificate-authority': 'x', 'insecure-skip-tls-verify': true } }),
      /exclude each other/,
    ],
    [config({ cluster: { server: 'http://x' }, user: { token: 'secret' } }), /https/],
    [config({ user: { as: 'somebody' } }), /as of user "u"/],
    [config({ user: { username: 'admin', password: 'x' } }), /username/],
    [config({ user: { 'auth-provider': { name: 'gcp' } } }), /auth-provider/],
    [config({ user: { 'client-key': 'x' } }), /need each other/],
    [config({ user: { token: 'with space' } }), /no bearer token/],
    [
      config({ user: { exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1alpha1' } } }),
      /exec.apiVersion/,
    ],
    [config({ user: { exec: { ...exec, command: undefined } } }), /no command/],
    [config({ user: { exec: { ...exec, interactiveMode: 'Always' } } }), /terminal/],
    [config({ user: { exec: { ...exec, args: [1] } } }), /exec.args/],
    [config({ user: { exec: { ...exec, env: [{ name: 'A' }] } } }), /exec.env/],
  ]
  for (const [yaml, message] of cases)
    t.throws(() => parse(yaml), { code: 'CONFIG_INVALID', message }, String(message))
})

t.test('no YAML and no JSON upsets the reader of kubeconfigs', async (t) => {
  const any = fc.jsonValue({ maxDepth: 3 })
  const entry = fc.record({ name: fc.constant('c'), cluster: any, context: any, user: any })
  const document = fc.record({
    'current-context': fc.constant('c'),
    contexts: fc.constant([{ name: 'c', context: { cluster: 'c', user: 'c' } }]),
    clusters: fc.array(entry),
    users: fc.array(entry),
  })
  const texts = fc.oneof(
    fc.string(),
    fc.oneof(any, document).map((value) => JSON.stringify(value)),
  )
  fc.assert(
    fc.property(texts, (yaml) => {
      try {
        parse(yaml)
      } catch (error) {
        if (!(error instanceof MetadatadError) || error.code !== 'CONFIG_INVALID') throw error
      }
    }),
    { numRuns: 1000 },
  )
  t.pass('none did')
})

t.test(
  'a credential plugin is run once for all who wait, until its credential ends or is refused',
  async (t) => {
    const directory = t.testdir({
      runs: '',
      plugin: [
        '#!/bin/sh',
        'echo run >>"$RUNS"',
        'n=$(wc -l <"$RUNS")',
        'echo "$KUBERNETES_EXEC_INFO" >"$RUNS.info"',
        'echo \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"\'"$1-$((n))"\'","expirationTimestamp":"2026-01-01T01:00:00Z"}}\'',
      ].join('\n'),
    })
    await chmod(join(directory, 'plugin'), 0o755)
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin',
      args: ['token'],
      env: [{ name: 'RUNS', value: join(directory, 'runs') }],
      provideClusterInfo: true,
    }
    const path = join(directory, 'config')
    await writeFile(path, config({ user: { exec } }))
    const clock = new FakeClock(Date.UTC(2026, 0, 1))
    const connection = await loadConnection({ kubeconfig: path, env: { PATH: '/bin:/usr/bin' }, clock })
    const tokens = await Promise.all([tokenOf(connection), tokenOf(connection), tokenOf(connection)])
    t.strictSame(tokens, ['token-1', 'token-1', 'token-1'])
    t.equal(await tokenOf(connection), 'token-1')
    t.equal(await tokenOf(connection, true), 'token-2', 'refused')
    await clock.advance(3_600_000 - 29_000)
    t.equal(await tokenOf(connection), 'token-3', 'about to end')
    t.equal(clock.pending, 0, 'no timer is left')
  },
)

t.test('a credential plugin that fails, floods, hangs or is not there gives a coded error', async (t) => {
  const directory = t.testdir({
    fails: '#!/bin/sh\necho "sign in first" >&2\nexit 3\n',
    floods: '#!/bin/sh\nyes\n',
    hangs: '#!/bin/sh\necho $$ >"$0.pid"\nexec sleep 600\n',
    prints: '#!/bin/sh\necho hello\n',
  })
  const clock = new FakeClock()
  const run = async (command: string) => {
    const path = join(directory, `${command}.config`)
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: `./${command}`,
      installHint: 'get it here',
    }
    await writeFile(path, config({ user: { exec } }))
    if (command !== 'missing') await chmod(join(directory, command), 0o755)
    return (await loadConnection({ kubeconfig: path, env: { PATH: '/bin:/usr/bin' }, clock })).credentials(
      false,
      signal,
    )
  }
  await t.rejects(run('fails'), {
    code: 'KUBERNETES_UNAVAILABLE',
    retryable: true,
    message: /\(3\) sign in first/,
  })
  await t.rejects(run('floods'), { code: 'KUBERNETES_UNAVAILABLE' })
  await t.rejects(run('missing'), { code: 'CONFIG_INVALID', message: /get it here/ })
  await t.rejects(run('prints'), { code: 'CONFIG_INVALID', message: /no JSON/ })
  const hanging = run('hangs')
  hanging.catch(() => {})
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(30_000)
  await t.rejects(hanging, { code: 'KUBERNETES_UNAVAILABLE' })
})

t.test('no output upsets the reader of exec credentials', async (t) => {
  const plugin = { command: 'x', apiVersion: 'client.authentication.k8s.io/v1' } as const
  const any = fc.jsonValue({ maxDepth: 2 })
  const status = fc.record(
    { token: any, clientCertificateData: any, clientKeyData: any, expirationTimestamp: any },
    { requiredKeys: [] },
  )
  const credential = fc.record({
    apiVersion: fc.constant(plugin.apiVersion),
    kind: fc.constant('ExecCredential'),
    status: fc.oneof(status, any),
  })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        credential.map((value) => JSON.stringify(value)),
      ),
      (output) => {
        try {
          parseExecCredential(output, plugin)
        } catch (error) {
          if (!(error instanceof MetadatadError) || error.code !== 'CONFIG_INVALID') throw error
        }
      },
    ),
    { numRuns: 1000 },
  )
  const half = { ...plugin, kind: 'ExecCredential', status: { clientCertificateData: 'x' } }
  t.throws(() => parseExecCredential(JSON.stringify(half), plugin), { message: /half/ })
})

t.test('certificates named by a kubeconfig are used, and followed when they are replaced', async (t) => {
  const server = await startApiServer((request, response) =>
    answer(response, 200, { authorized: 'authorized' in request.socket && request.socket.authorized }),
  )
  const issued = await server.authority.issueClient('operator')
  const directory = t.testdir({
    'ca.pem': server.authority.pem,
    'cert.pem': issued.cert,
    'key.pem': issued.key,
  })
  const path = join(directory, 'config')
  await writeFile(
    path,
    config({
      cluster: { server: server.url, 'certificate-authority': 'ca.pem', 'tls-server-name': 'localhost' },
      user: { 'client-certificate': 'cert.pem', 'client-key': 'key.pem' },
    }),
  )
  const clock = new FakeClock()
  const connection = await loadConnection({ kubeconfig: path, env: {}, clock })
  const client = createKubernetesClient(connection, { clock, log: silentLog, metrics: createMetrics() })
  t.teardown(async () => {
    await client.close()
    await server.close()
  })
  const call = { verb: 'get', resource: 'pods', path: '/', signal } as const
  t.strictSame(await client.request(call), { authorized: true })
  const before = await connection.credentials(false, signal)
  await writeFile(join(directory, 'next.pem'), `${issued.cert}\n${server.authority.pem}`)
  await rename(join(directory, 'next.pem'), join(directory, 'cert.pem'))
  await clock.advance(60_001)
  t.not((await connection.credentials(false, signal)).tls, before.tls)
  t.strictSame(await client.request(call), { authorized: true })
  await symlink('/nonexistent', join(directory, 'gone'))
  await writeFile(path, config({ user: { tokenFile: 'gone' } }))
  const broken = await loadConnection({ kubeconfig: path, env: {}, clock })
  await t.rejects(broken.credentials(false, signal), { code: 'CONFIG_INVALID' })
})
