import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { SandboxGoogle } from '../../src/sandbox/sandbox-types.ts'
import { ask } from '../support/ask.ts'
import { gsa, identityOf, TOKEN, tokenOf } from '../support/pod-questions.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { counted, obtained } from '../support/traffic.ts'

/** Tokens live for seconds here: none of them may pass while the machine sleeps. */
const clock = new SteadyClock()
const NO_PREFETCH = { clock, flags: { 'credentials.prefetch': 'false' } }

const hang = () => 'hang' as const

/** Ways of a cloud to be down. */
const OUTAGES: readonly [string, NonNullable<SandboxGoogle['intercept']>][] = [
  ['answers 503', () => ({ status: 503, body: { error: { code: 503, status: 'UNAVAILABLE' } } })],
  [
    'is over its quota',
    () => ({ status: 429, body: { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } } }),
  ],
  ['breaks connections', () => 'reset'],
  ['never answers', hang],
  ['answers nonsense', () => ({ status: 200, body: { hello: 'world' } })],
]

// They wait most of the time.
t.jobs = OUTAGES.length

for (const [name, intercept] of OUTAGES) {
  t.test(
    `with nothing cached, a cloud that ${name} is a 503 that says when to ask again`,
    { buffered: true },
    async (t) => {
      await using metadatad = await startMetadatad(NO_PREFETCH)
      const { sandbox, host } = metadatad
      metadatad.pod('127.0.5.1', 'unlucky', { email: gsa('unlucky') })
      sandbox.google.intercept = intercept
      const { status, headers, body } = await ask(host, TOKEN, { ip: '127.0.5.1' })
      t.equal(status, 503)
      t.match(headers, { 'retry-after': /^[1-9]\d*$/, 'metadata-flavor': 'Google' })
      t.match(body, /^[A-Z][^\n]+\.\n$/)
      sandbox.google.intercept = undefined
      t.equal(await identityOf(metadatad, '127.0.5.1'), gsa('unlucky'))
    },
  )
}

for (const [name, intercept] of OUTAGES.filter(([, intercept]) => intercept !== hang)) {
  t.test(
    `a good token is served with its true life while the cloud ${name}, and not beyond`,
    { buffered: true },
    async (t) => {
      await using metadatad = await startMetadatad(NO_PREFETCH)
      const { sandbox, daemon, host, logged } = metadatad
      metadatad.pod('127.0.5.10', 'lasting', { email: gsa('lasting') })
      sandbox.google.tokenLifetimeSeconds = 6
      const { access_token } = await tokenOf(metadatad, '127.0.5.10')
      sandbox.google.intercept = intercept

      const [line] = obtained(logged, { kind: 'google-access-token' })
      const end = Date.parse(String(line!.expiresAt))
      for (;;) {
        const asked = clock.now()
        const { status, headers, body } = await ask(host, TOKEN, { ip: '127.0.5.10' })
        const answered = clock.now()
        if (status !== 200) {
          t.equal(status, 503)
          t.match(headers['retry-after'], /^[1-9]\d*$/)
          t.ok(answered >= end - 1_000, 'the last second is too short to be given out')
          break
        }
        const token = JSON.parse(body)
        if (token.access_token !== access_token) t.fail('another token during an outage')
        if (
          token.expires_in > (end - asked) / 1_000 ||
          token.expires_in < Math.floor((end - answered) / 1_000)
        ) {
          t.fail(
            `expires_in is ${token.expires_in} between ${end - asked} and ${end - answered} ms before the end`,
          )
        }
        await setTimeout(100)
      }
      t.ok((await counted(daemon.metrics.credentialRequests, { result: 'stale' })) > 0)

      sandbox.google.intercept = undefined
      t.equal(await identityOf(metadatad, '127.0.5.10'), gsa('lasting'))
    },
  )
}

t.test(
  'access that IAM takes away while its token is cached ends with the next renewal',
  { buffered: true },
  async (t) => {
    await using metadatad = await startMetadatad(NO_PREFETCH)
    const { sandbox, host } = metadatad
    metadatad.pod('127.0.5.11', 'leaver', { email: gsa('leaver') })
    sandbox.google.tokenLifetimeSeconds = 6
    await tokenOf(metadatad, '127.0.5.11')
    sandbox.google.intercept = (call) =>
      call === 'generateAccessToken'
        ? { status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no' } } }
        : undefined
    let answers = 0
    for (;;) {
      const { status } = await ask(host, TOKEN, { ip: '127.0.5.11' })
      answers++
      if (status === 200) await setTimeout(100)
      else break
    }
    t.ok(answers > 1)
    t.equal((await ask(host, TOKEN, { ip: '127.0.5.11' })).status, 403)
  },
)
