import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { MINIMAL_FLAGS } from './support.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname

// Nothing listens on port 1: an API server that is down.
const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 'kube-secret' } }],
})

function serve(t: Test, ...flags: string[]) {
  const dir = t.testdir({ kubeconfig: KUBECONFIG })
  const args = [
    'serve',
    ...MINIMAL_FLAGS,
    '--listen-metadata=127.0.0.1:0',
    '--listen-admin=127.0.0.1:0',
    ...flags,
  ]
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      NODE_NAME: 'node-1',
      METADATAD_KUBERNETES_KUBECONFIG: `${dir}/kubeconfig`,
    },
  })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, stderr: text(child.stderr), exit: once(child, 'exit') }
}

/** The fields of the first log line with that message. */
async function logged(child: ChildProcess, msg: string): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const fields = JSON.parse(line)
    if (fields.msg === msg) return fields
  }
  throw new Error(`ended without saying "${msg}"`)
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`serve waits for an API server that is down, and ends orderly on ${signal}`, async (t) => {
    const { child, stderr, exit } = serve(t)
    const { admin } = (await logged(child, 'listening')) as { admin: { port: number } }
    const ready = await fetch(`http://127.0.0.1:${admin.port}/readyz`)
    t.equal(ready.status, 503)
    t.match(await ready.text(), 'pods: ')
    child.stdout.resume()
    child.kill(signal)
    t.strictSame(await exit, [0, null])
    t.equal(await stderr, '')
  })
}

t.test('an address that is not of this machine is one line with a code, and exit code 1', async (t) => {
  const { child, stderr, exit } = serve(t, '--listen-admin=192.0.2.1:9989')
  child.stdout.resume()
  t.strictSame(await exit, [1, null])
  t.match(await stderr, /^metadatad: LISTEN_FAILED: [^\n]+192\.0\.2\.1[^\n]+\n$/)
})

t.test('a kubeconfig that can not be read is a configuration problem', async (t) => {
  const { child, stderr, exit } = serve(t, '--kubernetes-kubeconfig=/nonexistent')
  child.stdout.resume()
  t.strictSame(await exit, [2, null])
  t.match(await stderr, /^metadatad: CONFIG_INVALID: [^\n]+\n$/)
})
