import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { demo } from '../../src/cli/demo.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

function io(signal: AbortSignal, written: (text: string) => void = () => {}) {
  const out: string[] = []
  const stdout = {
    write(text: string) {
      out.push(text)
      written(text)
    },
  }
  return { out, io: { stdout, stderr: { write() {} }, env: {}, signal } }
}

t.test('the demo gives each pod its own token and refuses one, and says so as JSON', async (t) => {
  const { out, io: once } = io(new AbortController().signal)
  t.equal(await demo({ once: true, output: 'json' }, once), 0)
  const { pods } = JSON.parse(out.join(''))
  t.same(
    pods.map((pod: { pod: string; identity: string; token?: string }) => [
      pod.pod,
      pod.identity,
      !!pod.token,
    ]),
    [
      ['shop/cart-6f7d', 'cart@demo-project.iam.gserviceaccount.com', true],
      ['shop/checkout-5c9b', 'checkout@demo-project.iam.gserviceaccount.com', true],
      ['data/etl-0', 'warehouse@demo-project.iam.gserviceaccount.com', true],
      ['web/frontend-7d4f', 'federated, as web/default', true],
      ['web/curious-9x2k', 'warehouse@demo-project.iam.gserviceaccount.com', false],
      ['default/laptop', 'laptop@demo-project.iam.gserviceaccount.com', true],
    ],
  )
  const tokens = pods.map((pod: { token?: string }) => pod.token).filter(Boolean)
  t.equal(new Set(tokens).size, tokens.length, 'no two pods have one token')
  t.match(pods[4].refused, /^403: Unable to generate access token.*roles\/iam.workloadIdentityUser/s)
})

t.test('every command that the demo prints works as printed', async (t) => {
  const stop = new AbortController()
  const printed = Promise.withResolvers<string>()
  const { io: running } = io(stop.signal, (text) => text.includes('Try, in another') && printed.resolve(text))
  const ended = demo({ once: false, output: 'text' }, running)
  t.teardown(() => stop.abort())
  const [curl, gcloud, node, python, operator] = (await printed.promise)
    .split('\n\n')
    .filter((block) => block.startsWith('  #'))
    .map((block) => block.replaceAll(/^ {2}#.*$/gm, ''))

  const home = t.testdir()
  const path = [join(root, '.cache/venv/bin'), join(root, 'node_modules/.bin'), process.env.PATH].join(
    delimiter,
  )
  const env = { PATH: path, HOME: home, CLOUDSDK_CONFIG: home, NPM_CONFIG_UPDATE_NOTIFIER: 'false' }
  const shell = async (command: string | undefined) => {
    const { stdout, stderr } = await run('bash', ['-c', command ?? 'false'], {
      cwd: root,
      env,
      timeout: 120_000,
    })
    return stdout + stderr
  }

  t.match(await shell(curl), /"access_token":"ya29\.[^"]+".*Unable to generate access token/s)
  t.match(await shell(node), /^demo-project laptop@demo-project\.iam\.gserviceaccount\.com\nya29\./)
  t.match(await shell(operator), /^ready\n# HELP metadatad_/)
  const has = (command: string) =>
    run('bash', ['-c', command], { env, cwd: root }).then(
      () => true,
      () => false,
    )
  if (await has('python3 -c "import google.auth, requests"')) {
    t.match(await shell(python), /^demo-project laptop@demo-project\.iam\.gserviceaccount\.com\nya29\./)
  } else {
    t.pass('Python', { skip: "Google's library is missing: pip install google-auth requests" })
  }
  if (await has('command -v gcloud')) t.match(await shell(gcloud), /\* +laptop@demo-project/)
  else t.pass('gcloud', { skip: 'gcloud is missing' })

  stop.abort()
  t.equal(await ended, 0)
})
