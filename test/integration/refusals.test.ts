import t from 'tap'
import { SANDBOX_PROVIDER } from '../../src/sandbox/names.ts'
import { sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { askPatiently, gsa, identityPath, TOKEN } from '../support/pod-questions.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { upstreamCalls } from '../support/traffic.ts'

/** Requests are held for 0.9 s, however much of that the machine sleeps through. */
const clock = new SteadyClock()
const NO_PREFETCH = { 'credentials.prefetch': 'false' }
const NOTHING = { tokenRequest: 0, sts: 0, generateAccessToken: 0, generateIdToken: 0 }

t.test(
  'what IAM refuses is a 403 in the words of GKE that names member and role, for one call',
  async (t) => {
    await using metadatad = await startMetadatad({ clock, flags: NO_PREFETCH })
    const { sandbox, host } = metadatad
    metadatad.pod('127.0.4.1', 'curious', { email: gsa('warehouse'), granted: false })

    const refused = await askPatiently(metadatad, '127.0.4.1', TOKEN)
    t.equal(refused.status, 403)
    t.equal(refused.headers['metadata-flavor'], 'Google')
    t.equal(refused.headers['retry-after'], undefined)
    t.equal(
      refused.body,
      `Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).
This error could be caused by a missing IAM policy binding on the target IAM service account.
Grant roles/iam.workloadIdentityUser on ${gsa('warehouse')} to ${sandboxMember('ns', 'sa-curious')}.
`,
    )
    const once = { tokenRequest: 1, sts: 1, generateAccessToken: 1, generateIdToken: 0 }
    t.strictSame(upstreamCalls(sandbox), once)

    const again = await Promise.all(Array.from({ length: 20 }, () => ask(host, TOKEN, { ip: '127.0.4.1' })))
    t.strictSame([...new Set(again.map(({ status, body }) => `${status} ${body}`))], [`403 ${refused.body}`])
    t.strictSame(upstreamCalls(sandbox), once)

    // gcloud crashes on anything but 404 here.
    const identity = await askPatiently(metadatad, '127.0.4.1', identityPath('https://service.example'))
    t.equal(identity.status, 404)
    t.match(identity.body, 'iam.serviceAccounts.getOpenIdToken')
  },
)

t.test(
  'a refusal is asked about again after its time, and the grant that it asked for mends it',
  async (t) => {
    await using metadatad = await startMetadatad({
      clock,
      flags: { ...NO_PREFETCH, 'credentials.refusalTtl': '1s' },
    })
    const { sandbox, host } = metadatad
    metadatad.pod('127.0.4.2', 'patient', { email: gsa('patient'), granted: false })
    const { status, body } = await askPatiently(metadatad, '127.0.4.2', TOKEN)
    t.equal(status, 403)

    const [, role, email, member] = /Grant (\S+) on (\S+) to (\S+)\.\n$/.exec(body)!
    sandbox.google.grant(email!, member!, role as 'roles/iam.workloadIdentityUser')
    const mended = await eventually(
      () => ask(host, TOKEN, { ip: '127.0.4.2' }),
      (answer) => answer.status === 200,
    )
    t.equal(sandbox.google.inspect(JSON.parse(mended.body).access_token)?.identity, gsa('patient'))
    t.equal(upstreamCalls(sandbox).sts, 1, 'the federated token was kept')
  },
)

t.test('what STS does not accept is a 403 that names the provider, for one call', async (t) => {
  await using metadatad = await startMetadatad({
    clock,
    flags: NO_PREFETCH,
    prepare: ({ google, kubernetes }) =>
      google.addProvider(SANDBOX_PROVIDER, {
        issuer: kubernetes.issuer,
        allowedAudiences: ['https://another.example'],
      }),
  })
  const { sandbox, host } = metadatad
  metadatad.pod('127.0.4.3', 'stranger', { email: gsa('stranger') })
  const { status, body } = await askPatiently(metadatad, '127.0.4.3', TOKEN)
  t.equal(status, 403)
  t.match(body, 'invalid_grant')
  t.match(body, SANDBOX_PROVIDER)
  t.equal((await ask(host, TOKEN, { ip: '127.0.4.3' })).status, 403)
  t.strictSame(upstreamCalls(sandbox), { ...NOTHING, tokenRequest: 1, sts: 1 })
})

t.test("the operator's rules refuse before anything is asked for", async (t) => {
  await using metadatad = await startMetadatad({
    clock,
    amend: (yaml) => `${yaml}
rules:
  - {namespace: payments, identity: "pay-*@demo-project.iam.gserviceaccount.com", allow: true}
  - {namespace: payments, allow: false}
  - {identity: "pay-*", allow: false}
  - {allow: true}
`,
  })
  const { sandbox } = metadatad
  metadatad.pod('127.0.4.4', 'thief', { email: gsa('pay-out') })
  metadatad.pod('127.0.4.5', 'clerk', { email: gsa('pay-out'), namespace: 'payments' })
  metadatad.pod('127.0.4.6', 'stray', { email: gsa('other'), namespace: 'payments' })
  metadatad.pod('127.0.4.7', 'plain', { namespace: 'payments' })

  t.equal((await askPatiently(metadatad, '127.0.4.5', TOKEN)).status, 200)
  const served = upstreamCalls(sandbox)
  for (const [ip, identity] of [
    ['127.0.4.4', gsa('pay-out')],
    ['127.0.4.6', gsa('other')],
    ['127.0.4.7', sandboxMember('payments', 'sa-plain')],
  ] as const) {
    const { status, body } = await askPatiently(metadatad, ip, TOKEN)
    t.equal(status, 403, ip)
    t.match(body, 'rules')
    t.match(body, identity)
  }
  t.strictSame(upstreamCalls(sandbox), served)
})

t.test('an annotation that cannot be meant is refused with its value', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  metadatad.pod('127.0.4.8', 'typo', { email: 'My Account\r\nX: y@example', granted: false })
  const { status, body } = await askPatiently(metadatad, '127.0.4.8', TOKEN)
  t.equal(status, 403)
  t.match(body, 'iam.gke.io/gcp-service-account of this pod\'s ServiceAccount is "My Account??X: y@example"')
  t.strictSame(upstreamCalls(metadatad.sandbox), NOTHING)
})

t.test('a pod is told by one Event, however often it asks', async (t) => {
  await using metadatad = await startMetadatad({ clock, flags: NO_PREFETCH })
  const { sandbox, host } = metadatad
  const eventsWritten = (count: number) =>
    eventually(
      async () => sandbox.kubernetes.events.length,
      (written) => written >= count,
    )
  const deaf = metadatad.pod('127.0.4.9', 'deaf', { email: gsa('warehouse'), granted: false })
  await askPatiently(metadatad, '127.0.4.9', TOKEN)
  await eventsWritten(1)
  // Other scopes are other credentials, each refused by a call of its own.
  for (let n = 0; n < 10; n++) {
    const path = `${TOKEN}?scopes=https://www.googleapis.com/auth/scope-${n}`
    t.equal((await ask(host, path, { ip: '127.0.4.9' })).status, 403)
  }
  t.equal(upstreamCalls(sandbox).generateAccessToken, 11)

  // Events are written one after the other: once the next pod's is there, all of the first pod's are.
  const next = metadatad.pod('127.0.4.10', 'next', { email: gsa('warehouse'), granted: false })
  await askPatiently(metadatad, '127.0.4.10', TOKEN)
  await eventsWritten(2)
  t.match(sandbox.kubernetes.events, [
    {
      namespace: 'ns',
      reason: 'ExchangeRefused',
      regardingUid: deaf,
      message: `Grant roles/iam.workloadIdentityUser on ${gsa('warehouse')} to ${sandboxMember('ns', 'sa-deaf')}.`,
    },
    { regardingUid: next },
  ])
  t.equal(sandbox.kubernetes.events.length, 2)
})
