import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { grantSandboxApplication, grantSandboxRole } from '../../src/sandbox/sandbox-config.ts'
import { askAws, askAzure, azureTokenOf, patiently, ROLES, sessionOf } from '../sdk/cloud-questions.ts'
import { addCloudPod, clientIdOf, cloudAnnotations, cloudCalls } from '../sdk/three-clouds.ts'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { gsa, identityOf, tokenOf } from '../support/pod-questions.ts'
import { startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { counted, obtained } from '../support/traffic.ts'

const VAULT = 'https://vault.azure.net'
/** Requests are held, and credentials live, for seconds here: none of them may pass while the machine sleeps. */
const clock = new SteadyClock()
const NO_PREFETCH = { clock, flags: { 'credentials.prefetch': 'false' } }

t.test('one pod is itself in three clouds, at one address', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host, containerHost } = metadatad
  const pod = addCloudPod(metadatad, '127.0.24.1', 'everywhere')
  const other = addCloudPod(metadatad, '127.0.24.2', 'other')
  for (const { name, ip, uid, email, roleArn, clientId } of [pod, other]) {
    const { access_token } = await tokenOf(metadatad, ip)
    t.match(sandbox.google.inspect(access_token), { identity: email, podUid: uid })
    const session = await sessionOf(host, ip)
    t.match(sandbox.aws.inspect(session.AccessKeyId), {
      roleArn,
      podUid: uid,
      sessionName: `ns.${name}`,
      sessionToken: session.Token,
    })
    const azure = await azureTokenOf(host, ip, VAULT)
    t.match(sandbox.azure.inspect(azure.access_token), { clientId, podUid: uid, audience: VAULT })
    const jwt = await sandbox.kubernetes.mintToken({ namespace: 'ns', name }, 'pods.eks.amazonaws.com')
    const container = await ask(containerHost, '/v1/credentials', { ip, headers: { Authorization: jwt } })
    t.equal(JSON.parse(container.body).AccessKeyId, session.AccessKeyId, 'the same session both ways')
  }
})

t.test('annotations that change reach the running pod, and what they stood for is dropped', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, host } = metadatad
  const { ip, uid, ...pod } = addCloudPod(metadatad, '127.0.24.3', 'chameleon')
  const green = await sessionOf(host, ip)
  const greenToken = await azureTokenOf(host, ip, VAULT)

  const roleArn = grantSandboxRole(sandbox, 'brown', 'ns', 'sa-chameleon')
  const clientId = clientIdOf('brown')
  grantSandboxApplication(sandbox, clientId, 'ns', 'sa-chameleon')
  const annotate = (annotations: Record<string, string>) =>
    sandbox.kubernetes.applyServiceAccount('ns', 'sa-chameleon', annotations)
  annotate(cloudAnnotations({ email: gsa('chameleon'), roleArn, clientId }))
  await eventually(
    () => askAws(host, ip, ROLES),
    ({ body }) => body === 'brown',
  )
  t.equal((await askAws(host, ip, `${ROLES}role-chameleon`)).status, 404)
  const brown = await sessionOf(host, ip)
  t.match(sandbox.aws.inspect(brown.AccessKeyId), { roleArn, podUid: uid })
  const brownToken = await azureTokenOf(host, ip, VAULT)
  t.equal(sandbox.azure.inspect(brownToken.access_token)?.clientId, clientId)
  t.equal(await identityOf(metadatad, ip), gsa('chameleon'))

  annotate(cloudAnnotations({ ...pod }))
  await eventually(
    () => askAws(host, ip, ROLES),
    ({ body }) => body === 'role-chameleon',
  )
  const again = await sessionOf(host, ip)
  t.equal(sandbox.aws.inspect(again.AccessKeyId)?.roleArn, pod.roleArn)
  t.not(again.AccessKeyId, green.AccessKeyId, 'what was dropped does not come back')
  const againToken = await azureTokenOf(host, ip, VAULT)
  t.equal(sandbox.azure.inspect(againToken.access_token)?.clientId, pod.clientId)
  t.not(againToken.access_token, greenToken.access_token)

  annotate({})
  const none = await eventually(
    () => askAws(host, ip, ROLES),
    ({ status }) => status !== 200,
  )
  t.equal(none.status, 404)
  t.equal((await askAws(host, ip, `${ROLES}role-chameleon`)).status, 404)
  const nobody = await askAzure(host, ip, VAULT)
  t.equal(nobody.status, 400)
  t.match(JSON.parse(nobody.body), { error: 'invalid_request', error_description: /^Identity not found/ })
})

t.test('annotations that cannot be meant are coded refusals and Events, and hurt nobody else', async (t) => {
  await using metadatad = await startMetadatad({ clock })
  const { sandbox, daemon, host, logged } = metadatad
  const good = addCloudPod(metadatad, '127.0.24.4', 'good')
  const bad = addCloudPod(metadatad, '127.0.24.5', 'bad')
  for (const roleArn of [
    '',
    'arn',
    'arn:aws:iam::1:role/x',
    `arn:aws:iam::${'9'.repeat(70_000)}:role/x`,
    'arn:aws:iam::123456789012:role/\r\nX: y',
  ]) {
    sandbox.kubernetes.applyServiceAccount('ns', 'sa-bad', { 'eks.amazonaws.com/role-arn': roleArn })
    const refused = await eventually(
      () => askAws(host, bad.ip, ROLES),
      ({ status, body }) => status === 404 && body.includes(roleArn.slice(0, 8)),
    )
    t.match(refused.body, 'eks.amazonaws.com/role-arn')
    t.equal(refused.headers.x, undefined)
  }
  sandbox.kubernetes.applyServiceAccount('ns', 'sa-bad', {
    'azure.workload.identity/client-id': 'x'.repeat(70_000),
  })
  const refused = await eventually(
    () => askAzure(host, bad.ip, VAULT),
    ({ body }) => body.includes('xxxx'),
  )
  t.equal(refused.status, 400)
  t.match(refused.body, 'azure.workload.identity/client-id')

  await eventually(
    () => counted(daemon.metrics.events, { outcome: 'ok' }),
    (written) => written >= 1,
  )
  const about = sandbox.kubernetes.events.filter(({ regardingUid }) => regardingUid === bad.uid)
  t.match(about, [{ namespace: 'ns', reason: 'IdentityInvalid', message: /role-arn/ }])
  t.ok(
    logged.some((line) => JSON.stringify(line).includes('IDENTITY_INVALID')),
    'a log line says so',
  )
  t.equal(sandbox.aws.inspect((await sessionOf(host, good.ip)).AccessKeyId)?.podUid, good.uid)
})

t.test('while AWS is out of reach a session is served with its true end, and not beyond', async (t) => {
  await using metadatad = await startMetadatad(NO_PREFETCH)
  const { sandbox, daemon, host } = metadatad
  const short = addCloudPod(metadatad, '127.0.24.7', 'short')
  const end = Math.floor(clock.now() / 1000) + 6
  const Credentials = { AccessKeyId: 'ASIASHORT', SecretAccessKey: 's', SessionToken: 't', Expiration: end }
  const AssumeRoleWithWebIdentityResult = { Credentials }
  sandbox.aws.intercept = () => ({
    status: 200,
    body: { AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult } },
  })
  await sessionOf(host, short.ip)
  sandbox.aws.intercept = () => 'reset'
  for (;;) {
    const asked = clock.now()
    const { status, body } = await askAws(host, short.ip, `${ROLES}role-short`)
    if (status !== 200) {
      t.equal(status, 503)
      t.ok(clock.now() >= (end - 1) * 1000, 'the last second is too short to be given out')
      break
    }
    if (Date.parse(JSON.parse(body).Expiration) !== end * 1000) t.fail(body)
    if (asked >= end * 1000) t.fail('served beyond its end')
    await setTimeout(100)
  }
  t.ok((await counted(daemon.metrics.credentialRequests, { kind: 'aws-role-session', result: 'stale' })) > 0)

  sandbox.aws.intercept = undefined
  t.equal(sandbox.aws.inspect((await sessionOf(host, short.ip)).AccessKeyId)?.podUid, short.uid)
})

t.test('while Entra is out of reach a token is served with its true life, and not beyond', async (t) => {
  await using metadatad = await startMetadatad(NO_PREFETCH)
  const { sandbox, host, logged } = metadatad
  const { ip, uid } = addCloudPod(metadatad, '127.0.24.8', 'lasting')
  sandbox.azure.tokenLifetimeSeconds = 6
  const { access_token } = await azureTokenOf(host, ip, VAULT)
  const [line] = obtained(logged, { kind: 'azure-access-token' })
  const end = Date.parse(String(line!.expiresAt))
  sandbox.azure.outage = true
  for (;;) {
    const asked = clock.now()
    const { status, headers, body } = await askAzure(host, ip, VAULT)
    const answered = clock.now()
    if (status !== 200) {
      t.equal(status, 503)
      t.match(headers['retry-after'], /^[1-9]\d*$/)
      t.ok(answered >= end - 1_000, 'the last second is too short to be given out')
      break
    }
    const token = JSON.parse(body)
    const left = Number(token.expires_in)
    if (token.access_token !== access_token) t.fail('another token during an outage')
    if (left > (end - asked) / 1000 || left < Math.floor((end - answered) / 1000)) {
      t.fail(`expires_in is ${left} between ${end - asked} and ${end - answered} ms before the end`)
    }
    await setTimeout(100)
  }
  sandbox.azure.outage = false
  t.equal(sandbox.azure.inspect((await azureTokenOf(host, ip, VAULT)).access_token)?.podUid, uid)
})

t.test(
  'after one throttled call no pod of the account is asked for until AWS may be asked again',
  async (t) => {
    await using metadatad = await startMetadatad(NO_PREFETCH)
    const { sandbox, host, logged } = metadatad
    const first = addCloudPod(metadatad, '127.0.24.20', 'first')
    const others = Array.from({ length: 20 }, (_, n) =>
      addCloudPod(metadatad, `127.0.24.${n + 21}`, `other-${n}`),
    )
    for (const { ip } of others) await patiently(() => askAws(host, ip, ROLES))
    const calls: number[] = []
    sandbox.aws.intercept = () => {
      calls.push(clock.now())
      return undefined
    }
    sandbox.aws.failNext('Throttling', 1)
    const answered = askAws(host, first.ip, `${ROLES}role-first`)
    const [held] = await eventually(
      async () => logged.filter(({ service }) => String(service).startsWith('aws sts, account')),
      (lines) => lines.length > 0,
    )
    t.equal(calls.length, 1)
    // No earlier than that: it was closed for so long after the throttled call.
    const opensAt = calls[0]! + Number(held!.ms)
    const sessions = await Promise.all(others.map(({ ip }) => sessionOf(host, ip)))
    await answered
    t.strictSame(
      calls.slice(1).filter((at) => at < opensAt),
      [],
    )
    for (const [n, { AccessKeyId }] of sessions.entries()) {
      t.equal(sandbox.aws.inspect(AccessKeyId)?.podUid, others[n]!.uid)
    }
    t.equal(sandbox.aws.inspect((await sessionOf(host, first.ip)).AccessKeyId)?.podUid, first.uid)
    t.equal(cloudCalls(sandbox).assumeRole, 22)
  },
)
