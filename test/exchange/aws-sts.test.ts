import t, { type Test } from 'tap'
import { type AwsStsOptions, createAwsSts } from '../../src/exchange/aws-sts.ts'
import type { AwsIdentity } from '../../src/identity/aws-identity.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type CloudReply, type CloudRequestSeen, startCloud, subjectJwt } from './cloud-server.ts'

const ROLE = 'arn:aws:iam::123456789012:role/team/web'
const identity: AwsIdentity = {
  cloud: 'aws',
  roleArn: ROLE,
  roleName: 'web',
  accountId: '123456789012',
  partition: 'aws',
  audience: 'sts.amazonaws.com',
  tokenExpirationSeconds: undefined,
  globalEndpoint: false,
}

async function setUp(
  t: Test,
  reply: (seen: CloudRequestSeen, index: number) => CloudReply,
  change: Partial<AwsStsOptions> = {},
) {
  const it = await startCloud(t, reply)
  const sts = createAwsSts({
    ...it.parts,
    region: 'eu-west-1',
    fips: false,
    dualStack: false,
    endpoint: it.url,
    sessionSeconds: 3_600,
    ...change,
  })
  return { ...it, sts, obtain: (holder = {}) => sts.roleSession(identity).obtain(it.context(holder)) }
}

/** What STS answers when it grants the session that was asked for. */
function granted({ form }: CloudRequestSeen): CloudReply {
  const Arn = `arn:aws:sts::123456789012:assumed-role/web/${form.RoleSessionName}`
  const Credentials = {
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'secret',
    SessionToken: `session-of-${form.RoleSessionName}`,
    Expiration: Date.UTC(2026, 0, 1, 1) / 1000,
  }
  const AssumeRoleWithWebIdentityResult = { AssumedRoleUser: { Arn }, Credentials }
  return { body: { AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult } } }
}

const refused = (status: number, Code: string, headers: Record<string, string> = {}): CloudReply => ({
  status,
  headers,
  body: { Error: { Code, Message: 'Words.', Type: 'Sender' }, RequestId: 'x' },
})

t.test('a session is asked for with an unsigned form that names the pod', async (t) => {
  const it = await setUp(t, granted)
  const session = await it.obtain()
  t.equal(session.sessionToken.reveal(), 'session-of-team-a.web-0')
  t.equal(session.accountId, '123456789012')
  const [seen] = it.seen
  t.match(seen, { method: 'POST', url: '/' })
  t.strictSame(seen?.form, {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: ROLE,
    RoleSessionName: 'team-a.web-0',
    DurationSeconds: '3600',
    WebIdentityToken: subjectJwt(),
  })
  t.equal(seen?.headers.authorization, undefined)
  t.equal(seen?.headers.accept, 'application/json')
  t.equal(seen?.headers['content-type'], 'application/x-www-form-urlencoded')
  t.strictSame(it.asked, [{ audience: 'sts.amazonaws.com', renew: undefined, expirationSeconds: undefined }])
  t.equal(it.clock.limits, 0)
})

t.test("a session is one pod's, and is kept with half an hour of life", async (t) => {
  const { sts, parts } = await setUp(t, granted)
  t.match(sts.roleSession(identity), {
    kind: 'aws-role-session',
    identity: ROLE,
    shareBy: 'pod',
    minimumRemainingMs: 30 * 60_000,
  })
  const options = { ...parts, region: 'eu-west-1', fips: false, dualStack: false }
  const long = createAwsSts({ ...options, sessionSeconds: 7_200 }).roleSession(identity)
  t.equal(long.minimumRemainingMs, 65 * 60_000)
})

t.test('what is obtained in another way has another key', async (t) => {
  const { sts } = await setUp(t, granted)
  const changes: Partial<AwsIdentity>[] = [
    {},
    { roleArn: `${ROLE}2` },
    { audience: 'other' },
    { globalEndpoint: true },
    { tokenExpirationSeconds: 600 },
  ]
  t.equal(
    new Set(changes.map((change) => sts.roleSession({ ...identity, ...change }).key)).size,
    changes.length,
  )
  t.equal(sts.roleSession({ ...identity }).key, sts.roleSession(identity).key)
})

t.test('the annotated life is asked of the subject token', async (t) => {
  const it = await setUp(t, granted)
  await it.sts.roleSession({ ...identity, audience: 'a', tokenExpirationSeconds: 900 }).obtain(it.context())
  t.match(it.asked, [{ audience: 'a', expirationSeconds: 900 }])
})

t.test('a service account token called expired is replaced, once', async (t) => {
  const it = await setUp(t, (seen, index) =>
    index === 0 ? refused(400, 'ExpiredTokenException') : granted(seen),
  )
  await it.obtain()
  t.match(it.asked, [{ renew: undefined }, { renew: true }])
  t.equal(
    it.lines.filter(({ message }) => message === 'service account token refused, taking a new one').length,
    1,
  )

  const dead = await setUp(t, () => refused(400, 'ExpiredToken'))
  await t.rejects(dead.obtain(), { code: 'EXCHANGE_SUBJECT_EXPIRED' })
  t.equal(dead.seen.length, 2)
})

t.test('an issuer that STS could not reach is tried again, though it is a 400', async (t) => {
  const it = await setUp(t, (seen, index) =>
    index < 2 ? refused(400, 'IDPCommunicationError') : granted(seen),
  )
  await it.obtain()
  t.equal(it.seen.length, 3)
  t.equal(it.asked.length, 1)
})

t.test('a trust policy that does not let the pod in is final at once, and says what to add', async (t) => {
  const it = await setUp(t, () => refused(403, 'AccessDenied'))
  await t.rejects(it.obtain(), {
    code: 'EXCHANGE_REFUSED',
    retryable: false,
    publicMessage:
      /role\/team\/web, subject system:serviceaccount:team-a:web, audience sts\.amazonaws\.com.*https:\/\/issuer\.example\/cluster/,
  })
  t.equal(it.seen.length, 1)
})

t.test('an answer in XML will do', async (t) => {
  const it = await setUp(t, () => ({
    body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>xml</SessionToken>
      <Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  }))
  t.equal((await it.obtain()).sessionToken.reveal(), 'xml')
  const refusing = await setUp(t, () => ({
    status: 403,
    body: '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>No.</Message></Error></ErrorResponse>',
  }))
  await t.rejects(refusing.obtain(), { code: 'EXCHANGE_REFUSED', providerCode: 'AccessDenied' })
})

t.test("a session of another pod's name is not taken", async (t) => {
  const it = await setUp(t, (seen) =>
    granted({ ...seen, form: { ...seen.form, RoleSessionName: 'team-b.web-0' } }),
  )
  await t.rejects(it.obtain(), { code: 'EXCHANGE_MALFORMED' })
})

t.test('after a throttle no call of the node is sent before the back-off ends', async (t) => {
  const sent: number[] = []
  const it = await setUp(t, (seen, index) => {
    sent.push(it.clock.now())
    return index === 0 ? refused(400, 'Throttling') : granted(seen)
  })
  const first = it.obtain()
  while (!it.lines.some(({ message }) => message.startsWith('throttled'))) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  const others = ['a', 'b', 'c'].map((name) => it.obtain({ name, uid: name }))
  await Promise.all([first, ...others])
  t.equal(it.seen.length, 5, 'each was sent once more at most')
  const opensAt = sent[0]! + 250
  t.ok(
    sent.slice(1).every((at) => at >= opensAt),
    `${sent} after ${opensAt}`,
  )
})

t.test('who would have to wait too long is told to come back', async (t) => {
  const it = await setUp(t, () => refused(400, 'ThrottlingException', { 'retry-after': '8' }))
  await t.rejects(it.obtain(), { code: 'EXCHANGE_THROTTLED', retryable: true, retryAfterMs: 8_000 })
  t.equal(it.seen.length, 1)
  await t.rejects(it.obtain({ name: 'other', uid: 'other' }), {
    code: 'EXCHANGE_THROTTLED',
    publicMessage: /this node has to pause/,
    retryAfterMs: 8_000,
  })
  t.equal(it.seen.length, 1, 'nothing more was sent')
  t.equal(it.clock.limits, 0)
})

t.test('a caller that leaves when the gate closes is told why, and leaves no timer behind', async (t) => {
  let leave = () => {}
  const log = { ...silentLog, warn: () => leave() }
  const it = await setUp(t, () => refused(400, 'Throttling'), { log })
  leave = () => it.controller.abort()
  await t.rejects(it.obtain(), { code: 'EXCHANGE_THROTTLED' })
  t.equal(it.seen.length, 1)
  t.equal(it.clock.limits, 0)
})
