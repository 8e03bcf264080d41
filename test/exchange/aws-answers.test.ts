import fc from 'fast-check'
import t from 'tap'
import { awsRoleSession } from '../../src/exchange/aws-answers.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

const SENT_AT = Date.UTC(2026, 0, 1)
const asked = {
  accountId: '123456789012',
  roleName: 'web',
  sessionName: 'team-a.web-0',
  sessionSeconds: 3_600,
}
const ARN = 'arn:aws:sts::123456789012:assumed-role/web/team-a.web-0'

const read = (text: string) =>
  awsRoleSession({ status: 200, text, retryAfterMs: undefined, sentAt: SENT_AT }, asked)

/** The JSON form. */
function json(credentials: Record<string, unknown> = {}, arn: unknown = ARN): string {
  const Credentials = {
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'secret/+=',
    SessionToken: 'session//token==',
    Expiration: SENT_AT / 1000 + 3_600,
    ...credentials,
  }
  const AssumedRoleUser = { Arn: arn, AssumedRoleId: 'AROAEXAMPLE:team-a.web-0' }
  const AssumeRoleWithWebIdentityResult = { AssumedRoleUser, Credentials, PackedPolicySize: null }
  return JSON.stringify({ AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult } })
}

const XML = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:team-a:web</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser><Arn>${ARN}</Arn><AssumedRoleId>AROAEXAMPLE:team-a.web-0</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <SessionToken>session//token==</SessionToken>
      <SecretAccessKey>secret/+=</SecretAccessKey>
      <Expiration>2026-01-01T01:00:00Z</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
    <Provider>https://issuer.example/cluster</Provider>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>`

t.test('a session is read from JSON and from XML alike', async (t) => {
  for (const text of [json(), XML]) {
    const session = read(text)
    t.match(session, { accessKeyId: 'ASIAEXAMPLE', accountId: '123456789012', obtainedAt: SENT_AT })
    t.equal(session.secretAccessKey.reveal(), 'secret/+=')
    t.equal(session.sessionToken.reveal(), 'session//token==')
    t.equal(session.digest, session.sessionToken.digest)
    t.equal(session.expiresAt, SENT_AT + 3_600_000)
  }
})

t.test("a session's end is AWS's, but never beyond what was asked for", async (t) => {
  t.equal(read(json({ Expiration: SENT_AT / 1000 + 900.5 })).expiresAt, SENT_AT + 900_500)
  t.equal(read(json({ Expiration: '2026-01-01T00:30:00Z' })).expiresAt, SENT_AT + 1_800_000)
  t.equal(read(json({ Expiration: SENT_AT / 1000 + 7_200 })).expiresAt, SENT_AT + 3_600_000)
})

t.test("another role's session is none", async (t) => {
  for (const arn of [
    'arn:aws:sts::999999999999:assumed-role/web/team-a.web-0',
    'arn:aws:sts::123456789012:assumed-role/web/team-a.web-1',
    'arn:aws:sts::123456789012:assumed-role/admin/team-a.web-0',
    'arn:aws:iam::123456789012:role/web',
    7,
  ]) {
    t.throws(() => read(json({}, arn)), { code: 'EXCHANGE_MALFORMED', retryable: true }, String(arn))
  }
  t.ok(read(json({}, ARN.replace('/web/', '/Web/'))), 'AWS keeps the case that the role was made with')
  t.ok(read(json({}, '')), 'services that resemble STS leave it out')
})

t.test('what lacks something, or has an end that is over, is no session', async (t) => {
  for (const change of [
    { AccessKeyId: undefined },
    { AccessKeyId: '' },
    { SecretAccessKey: 7 },
    { SessionToken: 'a b' },
    { SessionToken: 'x'.repeat(16_385) },
    { Expiration: undefined },
    { Expiration: SENT_AT / 1000 },
    { Expiration: 'soon' },
    { Expiration: '2026-01-01T01:00:00' },
    { Expiration: null },
  ]) {
    t.throws(() => read(json(change)), { code: 'EXCHANGE_MALFORMED' }, JSON.stringify(change).slice(0, 60))
  }
  for (const text of ['', '{}', '<a/>', 'OK']) t.throws(() => read(text), { code: 'EXCHANGE_MALFORMED' })
})

t.test('whatever AWS answers is a session with a sane end, or malformed', async () => {
  const value = fc.oneof(
    fc.string(),
    fc.double(),
    fc.constantFrom(null, SENT_AT, SENT_AT / 1000 + 60),
    fc.constant('ok'),
  )
  const credentials = fc.record(
    { AccessKeyId: value, SecretAccessKey: value, SessionToken: value, Expiration: value },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        credentials.map((it) => json(it)),
        fc.json(),
        fc.string(),
      ),
      (text) => {
        try {
          const { expiresAt } = read(text)
          return expiresAt > SENT_AT && expiresAt <= SENT_AT + 3_600_000
        } catch (error) {
          return error instanceof MetadatadError && error.code === 'EXCHANGE_MALFORMED'
        }
      },
    ),
  )
})
