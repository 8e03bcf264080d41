import t from 'tap'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { gsa, identityOf, identityPath, TOKEN, tokenOf } from '../support/pod-questions.ts'
import { type Metadatad, startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { obtained, upstreamCalls } from '../support/traffic.ts'
import { gatherHerd } from './herd.ts'

const HERD = 1_000
/** Requests are held for 0.9 s, however much of that the machine sleeps through. */
const clock = new SteadyClock()
const NO_PREFETCH = { clock, flags: { 'credentials.prefetch': 'false' } }
const ONE_OF_EACH = { tokenRequest: 1, sts: 1, generateAccessToken: 1, generateIdToken: 0 }

/** Serves another pod, so that connections to the cloud are open and its keys known, and forgets that it did. */
async function warmUp(metadatad: Metadatad): Promise<void> {
  metadatad.pod('127.0.3.200', 'earlier', { email: gsa('earlier') })
  await tokenOf(metadatad, '127.0.3.200')
  metadatad.sandbox.kubernetes.resetCalls()
  metadatad.sandbox.google.resetCalls()
}

/** What a herd got: the different answers, and how often each. */
function tally(answers: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const answer of answers) {
    const status = answer.slice(0, answer.indexOf('\r\n'))
    const token = /"access_token":"([^"]+)"/.exec(answer)?.[1] ?? answer.slice(answer.indexOf('\r\n\r\n') + 4)
    counts.set(`${status} ${token}`, (counts.get(`${status} ${token}`) ?? 0) + 1)
  }
  return counts
}

t.test('a thousand first requests of one pod cost one call each, and none fails', async (t) => {
  await using metadatad = await startMetadatad(NO_PREFETCH)
  const { sandbox } = metadatad
  await warmUp(metadatad)
  sandbox.google.latencyMs = 50
  metadatad.pod('127.0.3.1', 'herd', { email: gsa('herd') })

  const herd = await gatherHerd(metadatad, '127.0.3.1', TOKEN, HERD)
  const answers = tally(await herd.run())

  const [[first, count] = ['', 0]] = answers
  t.equal(count, HERD, JSON.stringify([...answers]).slice(0, 500))
  t.match(first, /^HTTP\/1\.1 200 OK ya29\./)
  t.equal(sandbox.google.inspect(first.slice('HTTP/1.1 200 OK '.length))?.identity, gsa('herd'))
  t.strictSame(upstreamCalls(sandbox), ONE_OF_EACH)
})

t.test('requests that arrive before their pod is known are held and answered by one call each', async (t) => {
  await using metadatad = await startMetadatad(NO_PREFETCH)
  const { sandbox } = metadatad
  await warmUp(metadatad)
  const herd = await gatherHerd(metadatad, '127.0.3.2', TOKEN, 100)
  const answered = herd.run()
  metadatad.pod('127.0.3.2', 'early', { email: gsa('early') })

  const answers = tally(await answered)
  t.strictSame([...answers.values()], [100])
  t.match([...answers.keys()], [/^HTTP\/1\.1 200 /])
  t.strictSame(upstreamCalls(sandbox), ONE_OF_EACH)
})

t.test(
  'a pod that asks in the moment of its creation is served, and prefetching costs no call more',
  async (t) => {
    await using metadatad = await startMetadatad({ clock })
    await warmUp(metadatad)
    metadatad.pod('127.0.3.3', 'hasty', { email: gsa('hasty') })
    const { status, body } = await ask(metadatad.host, TOKEN, { ip: '127.0.3.3' })
    t.equal(status, 200)
    t.equal(metadatad.sandbox.google.inspect(JSON.parse(body).access_token)?.identity, gsa('hasty'))
    t.strictSame(upstreamCalls(metadatad.sandbox), ONE_OF_EACH)
  },
)

t.test('after prefetching, no spelling of the default scopes costs a call', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host, logged } = metadatad
  await warmUp(metadatad)
  metadatad.pod('127.0.3.4', 'awaited', { email: gsa('awaited') })
  await eventually(
    async () => obtained(logged, { pod: 'awaited', kind: 'google-access-token' }),
    (lines) => lines.length > 0,
  )
  const prefetched = upstreamCalls(sandbox)
  t.strictSame(prefetched, ONE_OF_EACH)

  const [platform, email] = [
    'https://www.googleapis.com/auth/cloud-platform',
    'https://www.googleapis.com/auth/userinfo.email',
  ]
  const tokens = new Set<string>()
  for (const query of [
    '',
    // Node joins with an encoded comma, Go and Python encode everything, people type it.
    `?scopes=${platform}%2C${email}`,
    `?scopes=${encodeURIComponent(`${email},${platform}`)}`,
    `?scopes=${platform},${email}`,
    `?scopes=${email}&scopes=${platform}`,
    `?scopes=${email},${platform},${email},`,
    '?scopes=',
  ]) {
    for (const account of ['default', gsa('awaited')]) {
      const path = `/computeMetadata/v1/instance/service-accounts/${account}/token${query}`
      const { status, body } = await ask(host, path, { ip: '127.0.3.4' })
      t.equal(status, 200, path)
      tokens.add(JSON.parse(body).access_token)
    }
  }
  t.equal(tokens.size, 1)
  t.strictSame(upstreamCalls(sandbox), prefetched)
})

t.test('one federated token serves access and ID tokens of all scopes and audiences', async (t) => {
  await using metadatad = await startMetadatad(NO_PREFETCH)
  const { sandbox, host } = metadatad
  metadatad.pod('127.0.3.5', 'many', { email: gsa('many') })
  const paths = [
    TOKEN,
    `${TOKEN}?scopes=https://www.googleapis.com/auth/bigquery`,
    identityPath('https://one.example'),
    identityPath('https://two.example'),
  ]
  await tokenOf(metadatad, '127.0.3.5')
  const answers = await Promise.all(paths.map((path) => ask(host, path, { ip: '127.0.3.5' })))
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  t.strictSame(upstreamCalls(sandbox), {
    tokenRequest: 1,
    sts: 1,
    generateAccessToken: 2,
    generateIdToken: 2,
  })
})

t.test('pods of one ServiceAccount share its token, pods of others do not', async (t) => {
  await using metadatad = await startMetadatad(NO_PREFETCH)
  const { sandbox } = metadatad
  const shared = { email: gsa('shared'), serviceAccountName: 'shared' }
  metadatad.pod('127.0.3.6', 'shared-1', shared)
  metadatad.pod('127.0.3.7', 'shared-2', shared)
  // The same Google service account by another ServiceAccount is another principal's.
  metadatad.pod('127.0.3.8', 'other', { email: gsa('shared') })

  const one = await tokenOf(metadatad, '127.0.3.6')
  t.equal((await tokenOf(metadatad, '127.0.3.7')).access_token, one.access_token)
  t.match(upstreamCalls(sandbox), { sts: 1, generateAccessToken: 1 })
  t.not((await tokenOf(metadatad, '127.0.3.8')).access_token, one.access_token)
  t.match(upstreamCalls(sandbox), { sts: 2, generateAccessToken: 2 })
  t.equal(await identityOf(metadatad, '127.0.3.8'), gsa('shared'))
})
