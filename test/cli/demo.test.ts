import { execFile } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { demo } from '../../src/cli/demo.ts'
import { LAPTOP } from '../../src/cli/demo-pods.ts'
import { demoReport } from '../../src/cli/demo-report.ts'
import type { DemoRow } from '../../src/cli/demo-rows.ts'

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

t.test(
  'the demo gives each pod its own identity in each cloud and refuses one, and says so as JSON',
  async (t) => {
    const { out, io: once } = io(new AbortController().signal)
    t.equal(await demo({ once: true, output: 'json' }, once), 0)
    const { rows } = JSON.parse(out.join('')) as { rows: DemoRow[] }
    const gsa = (name: string) => `${name}@demo-project.iam.gserviceaccount.com`
    const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`
    const pool =
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/sandbox'
    t.same(
      rows.map((row) => [row.pod, row.cloud, row.identity, row.refused === undefined]),
      [
        ['shop/checkout-5c9b', 'google', gsa('checkout'), true],
        ['shop/checkout-5c9b', 'aws', role('checkout'), true],
        ['shop/checkout-5c9b', 'azure', 'c4ec0007-2222-4c22-8000-000000000002', true],
        ['shop/cart-6f7d', 'google', gsa('cart'), true],
        ['data/etl-0', 'aws', role('warehouse'), true],
        ['data/reports-8b4c', 'azure', '4e904750-3333-4c33-8000-000000000003', true],
        ['web/frontend-7d4f', 'google', `${pool}/subject/system:serviceaccount:web:default`, true],
        ['web/curious-9x2k', 'google', gsa('checkout'), false],
        ['default/laptop', 'google', gsa('laptop'), true],
        ['default/laptop', 'aws', role('laptop'), true],
        ['default/laptop', 'azure', LAPTOP.identities.azure, true],
      ],
    )
    const served = rows.filter((row) => row.refused === undefined)
    t.equal(
      new Set(served.map((row) => row.credential)).size,
      served.length,
      'no two rows have one credential',
    )
    for (const row of served) {
      t.match(row.credential, /^sha256:[0-9a-f]{12}$/)
      t.ok(row.expiresIn! > 1800 && row.expiresIn! <= 3600, `${row.pod} in ${row.cloud}: ${row.expiresIn} s`)
    }
    t.match(rows[7]!.refused, /^403: Unable to generate access token.*roles\/iam.workloadIdentityUser/s)
  },
)

t.test('the table numbers the refusals, and what each was told stands below it', async (t) => {
  const known = { ip: '127.0.1.2', serviceAccount: 'app', identity: 'app', coldMs: 100 }
  const credential = { credential: 'sha256:0123456789ab', expiresIn: 3599, warmMs: 1.25 }
  const report = demoReport(
    [
      { ...known, pod: 'shop/a', cloud: 'aws', ...credential },
      { ...known, pod: 'shop/b', cloud: 'azure', refused: '400: one\ntwo' },
      { ...known, pod: 'shop/c', cloud: 'google', identity: undefined, refused: '403: three' },
    ],
    50,
  )
  const [heading, ...lines] = report.trimStart().split('\n')
  t.match(heading, /^POD +SOURCE IP +CLOUD +IDENTITY +CREDENTIAL +EXPIRES IN +COLD MS +WARM MS$/)
  t.match(lines[0], /^shop\/a +127\.0\.1\.2 +AWS +app +sha256:0123456789ab +3599 s +100 +1\.[23]$/)
  t.match(lines[1], /^shop\/b +127\.0\.1\.2 +Azure +app +refused \(1\) +- +100 +-$/)
  t.match(lines[2], /^shop\/c +127\.0\.1\.2 +Google +\(unknown\) +refused \(2\) +- +100 +-$/)
  t.match(report, '(1) shop/b got 400: one\n    two\n(2) shop/c got 403: three\n')
})

t.test('every command that the demo prints works as printed', async (t) => {
  const stop = new AbortController()
  const printed = Promise.withResolvers<string>()
  const { out, io: running } = io(
    stop.signal,
    (text) => text.includes('Try, in another') && printed.resolve(text),
  )
  const ended = demo({ once: false, output: 'text' }, running)
  t.teardown(() => stop.abort())
  const [curl, node, gcloud, aws, python, operator] = (await printed.promise)
    .split('\n\n')
    .filter((block) => block.startsWith('  #'))
    .map((block) => block.replaceAll(/^ {2}#.*$/gm, ''))
  const table = out.find((text) => text.includes('SOURCE IP'))!.split('\n\n')[0]!
  t.ok(Math.max(...table.split('\n').map((line) => line.length)) <= 140, 'the table fits 140 columns')

  const home = t.testdir()
  const path = [join(root, '.cache/venv/bin'), join(root, 'node_modules/.bin'), process.env.PATH].join(
    delimiter,
  )
  const env = { PATH: path, HOME: home, NPM_CONFIG_UPDATE_NOTIFIER: 'false' }
  /** SDKs wait for an answer no longer than a second, which a starved machine may need: three times, then. */
  const shell = async (command: string | undefined, tries = 3): Promise<string> => {
    try {
      const { stdout, stderr } = await run('bash', ['-c', command ?? 'false'], {
        cwd: root,
        env,
        timeout: 240_000,
      })
      return stdout + stderr
    } catch (err) {
      if (tries === 1) throw err
      return await shell(command, tries - 1)
    }
  }

  const { google, aws: role, azure } = LAPTOP.identities
  const told =
    /"access_token":"ya29\.[^"]+".*"AccessKeyId": ?"ASIA.*"access_token":"ey[^"]+".*Unable to generate access token/s
  const first = await shell(curl)
  // A refusal is asked for again after 10 s, and told to come again who would have to wait for it.
  t.match(told.test(first) ? first : await shell(curl), told)
  const session = `arn:aws:sts::123456789012:assumed-role/${role!.split('/')[1]}/`
  const lines = (await shell(node)).split('\n')
  t.equal(lines[0], `Google ${google}`)
  t.match(lines[1], `AWS    ${session}`)
  t.equal(lines[2], `Azure  ${azure}`)
  t.match(await shell(operator), /^ready\n# HELP metadatad_/)

  const has = (command: string) =>
    run('bash', ['-c', command], { env, cwd: root }).then(
      () => true,
      () => false,
    )
  if (await has('command -v gcloud')) t.match(await shell(gcloud), /\* +laptop@demo-project/)
  else t.pass('gcloud', { skip: 'gcloud is missing' })
  if (await has('aws --version')) t.match(JSON.parse(await shell(aws)).Arn, session)
  else t.pass('AWS CLI', { skip: 'the AWS CLI is missing' })
  if (await has('python3 -c "import azure.identity, google.auth, requests"')) {
    t.match(await shell(python), new RegExp(`^demo-project ${google}\nya29\\.\\S+\ney\\S+\n$`))
  } else {
    t.pass('Python', { skip: 'libraries are missing: pip install google-auth requests azure-identity' })
  }

  stop.abort()
  t.equal(await ended, 0)
})
