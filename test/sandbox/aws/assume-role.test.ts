import { decodeJwt, UnsecuredJWT } from 'jose'
import t from 'tap'
import { createSigningKey, TestIssuer } from '../test-issuer.ts'
import { ACCOUNT, AUDIENCE, ROLE, SUBJECT, startWorld } from './start-world.ts'

t.test('a token that the role trusts becomes a session, told in JSON when asked for', async (t) => {
  await using world = await startWorld()
  const { status, headers, body } = await world.assume(await world.token(), { DurationSeconds: '900' })
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/json')
  const response = body.AssumeRoleWithWebIdentityResponse
  const { Credentials: credentials, ...result } = response.AssumeRoleWithWebIdentityResult
  t.match(result, {
    SubjectFromWebIdentityToken: SUBJECT,
    Audience: AUDIENCE,
    AssumedRoleUser: {
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/app/ns.app-0`,
      AssumedRoleId: /^AROA[A-Z2-7]{17}:ns\.app-0$/,
    },
    Provider: `arn:aws:iam::${ACCOUNT}:oidc-provider/${world.issuer.url.slice('https://'.length)}`,
    PackedPolicySize: null,
    SourceIdentity: null,
  })
  t.match(credentials, {
    AccessKeyId: /^ASIA[A-Z2-7]{16}$/,
    SecretAccessKey: /^[\w+/]{40}$/,
    SessionToken: /^[\w+/=]{300,}$/,
    Expiration: world.clock.now() / 1000 + 900,
  })
  t.equal(response.ResponseMetadata.RequestId, headers['x-amzn-requestid'])
  t.same(world.aws.inspect(credentials.AccessKeyId), {
    roleArn: ROLE,
    sessionName: 'ns.app-0',
    subject: SUBJECT,
    podUid: 'pod-uid',
    secretAccessKey: credentials.SecretAccessKey,
    sessionToken: credentials.SessionToken,
    expiresAt: credentials.Expiration * 1000,
  })
  t.equal(world.clock.pending, 0, 'no timer is left behind')
})

t.test('without that wish the same tree is XML, with the time in ISO 8601', async (t) => {
  await using world = await startWorld()
  const { status, headers, text } = await world.assume(await world.token(), {}, { accept: '*/*' })
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/xml')
  const value = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  t.match(
    text,
    /^<AssumeRoleWithWebIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><AssumeRoleWithWebIdentityResult>/,
  )
  t.equal(value('Expiration'), new Date(world.clock.now() + 3_600_000).toISOString().replace('.000Z', 'Z'))
  t.equal(value('Audience'), AUDIENCE)
  t.equal(world.aws.inspect(value('AccessKeyId') ?? '')?.sessionToken, value('SessionToken'))
  t.notMatch(text, /PackedPolicySize|SourceIdentity/, 'what is absent has no element')
})

t.test('a session ends when its answer said so', async (t) => {
  await using world = await startWorld()
  const { body } = await world.assume(await world.token())
  const { AccessKeyId } = body.AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult.Credentials
  await world.clock.advance(3_599_999)
  t.ok(world.aws.inspect(AccessKeyId))
  await world.clock.advance(1)
  t.equal(world.aws.inspect(AccessKeyId), undefined)
  t.equal(world.aws.inspect('ASIANEVERGIVENOUT000'), undefined)
})

t.test('a token that can not be believed is refused with the code that says why', async (t) => {
  await using world = await startWorld()
  const { issuer, clock } = world
  await using stranger = await TestIssuer.start(world.ca, clock)
  const now = clock.now() / 1000
  const wrongKey = await createSigningKey('first')
  const good = await world.token()
  const [header, , signature] = good.split('.')
  const payload = Buffer.from(JSON.stringify({ ...decodeJwt(good), sub: 'system:serviceaccount:ns:admin' }))
  const aud = [AUDIENCE]
  const noProvider = /^No OpenIDConnect provider found in your account for /

  const refusals: [name: string, token: string, code: string, message: RegExp][] = [
    ['expired', await world.token({ exp: now }), 'ExpiredTokenException', /^Token expired: .* \d+$/],
    ['not yet valid', await world.token({ nbf: now + 60 }), 'InvalidIdentityToken', /claim nbf/],
    ['wrong audience', await world.token({ aud: 'x' }), 'InvalidIdentityToken', /^Incorrect token audience$/],
    ['no audience', await issuer.token({}), 'InvalidIdentityToken', /^Missing a required claim: aud$/],
    ['no subject', await world.token({ sub: undefined }), 'InvalidIdentityToken', /Missing .* sub$/],
    ['no end', await world.token({ exp: undefined }), 'InvalidIdentityToken', /Missing .* exp$/],
    ['wrong key under a known id', await issuer.token({ aud }, wrongKey), 'InvalidIdentityToken', /verified/],
    [
      'key id that the issuer does not show',
      await issuer.token({ aud }, { ...wrongKey, kid: 'x' }),
      'InvalidIdentityToken',
      /^Couldn't retrieve verification key/,
    ],
    [
      'changed claims',
      [header, payload.toString('base64url'), signature].join('.'),
      'InvalidIdentityToken',
      /verified/,
    ],
    ['alg none', new UnsecuredJWT(decodeJwt(good)).encode(), 'InvalidIdentityToken', /verified/],
    ['issuer without a provider', await stranger.token({ aud }), 'InvalidIdentityToken', noProvider],
    [
      "stranger's key under the trusted name",
      await stranger.token({ aud, iss: issuer.url }),
      'InvalidIdentityToken',
      /verified/,
    ],
    [
      'issuer of a hostile shape',
      await world.token({ iss: { toString: 1 } }),
      'InvalidIdentityToken',
      noProvider,
    ],
    ['no issuer', await world.token({ iss: undefined }), 'InvalidIdentityToken', noProvider],
    ['no JWT', 'opaque', 'InvalidIdentityToken', /not a valid JWT/],
    [
      'not the subject',
      await world.token({ sub: `${SUBJECT}2` }),
      'AccessDenied',
      /^Not authorized to perform/,
    ],
    ['subject in other case', await world.token({ sub: SUBJECT.toUpperCase() }), 'AccessDenied', /^Not/],
    ['subject that is no text', await world.token({ sub: [SUBJECT] }), 'AccessDenied', /^Not/],
  ]
  for (const [name, token, code, message] of refusals) {
    const status = code === 'AccessDenied' ? 403 : 400
    t.match(
      await world.assume(token),
      { status, body: { Error: { Type: 'Sender', Code: code, Message: message }, RequestId: String } },
      name,
    )
  }
  t.equal((await world.assume(good)).status, 200, 'while the good one is good')
})

t.test(
  'an issuer that can not be asked is a transient error, one that answers nonsense a lasting one',
  async (t) => {
    await using world = await startWorld()
    const { issuer } = world
    const refusal = async () => (await world.assume(await world.token())).body.Error.Code
    issuer.replaced.set('/openid/v1/jwks', { status: 503, body: '' })
    t.equal(await refusal(), 'IDPCommunicationError')
    issuer.replaced.set('/openid/v1/jwks', { status: 404, body: '' })
    t.equal(await refusal(), 'InvalidIdentityToken')
    issuer.replaced.set('/openid/v1/jwks', { body: '{"keys":{}}' })
    t.equal(await refusal(), 'InvalidIdentityToken')
    issuer.replaced.clear()
    t.equal((await world.assume(await world.token())).status, 200)
  },
)

t.test("a role's trust policy decides: by provider, subject, pattern and audience", async (t) => {
  await using world = await startWorld()
  await using other = await TestIssuer.start(world.ca, world.clock)
  const { aws, issuer } = world
  aws.addOidcProvider({ accountId: ACCOUNT, issuer: other.url, clientIds: [AUDIENCE] })
  aws.addOidcProvider({ accountId: ACCOUNT, issuer: issuer.url, clientIds: [AUDIENCE, 'second'] })
  const status = async (token: string) => (await world.assume(token)).status
  const trust = (...trust: Parameters<typeof aws.addRole>[1]['trust']) => aws.addRole(ROLE, { trust })

  t.equal(await status(await other.token({ aud: AUDIENCE })), 403, "another provider's same subject")
  t.equal(
    await status(await world.token({ aud: 'second' })),
    403,
    'another client ID than the condition names',
  )
  trust({ issuer: issuer.url, subject: SUBJECT })
  t.equal(await status(await world.token({ aud: 'second' })), 200, 'any client ID without a condition on it')
  trust({ issuer: issuer.url, subject: { like: 'system:serviceaccount:ns:*' } })
  t.equal(await status(await world.token()), 200)
  t.equal(await status(await world.token({ sub: 'system:serviceaccount:ns2:app' })), 403)
  trust({ issuer: issuer.url, subject: { like: 'system.serviceaccount:ns:ap?' } })
  t.equal(await status(await world.token()), 403, 'a dot is a dot')
  trust({ issuer: issuer.url, subject: { like: 'system:serviceaccount:ns:ap?' } })
  t.equal(await status(await world.token()), 200)
  trust({ issuer: issuer.url, subject: 'system:serviceaccount:ns:*' })
  t.equal(await status(await world.token()), 403, 'StringEquals knows no pattern')
  trust()
  t.equal(await status(await world.token()), 403)
  aws.removeRole(ROLE)
  t.equal(await status(await world.token()), 403, 'a role that is not there')
})

t.test('a provider serves its own account only', async (t) => {
  await using world = await startWorld()
  const roleArn = 'arn:aws-cn:iam::999999999999:role/app'
  world.aws.addRole(roleArn, { trust: [{ issuer: world.issuer.url, subject: SUBJECT }] })
  const assume = async () => world.assume(await world.token(), { RoleArn: roleArn })
  t.match((await assume()).body, {
    Error: { Code: 'InvalidIdentityToken', Message: /^No OpenIDConnect provider/ },
  })
  world.aws.addOidcProvider({ accountId: '999999999999', issuer: world.issuer.url, clientIds: [AUDIENCE] })
  t.match((await assume()).text, /"arn:aws-cn:sts::999999999999:assumed-role\/app\/ns\.app-0"/)
})

t.test('a session may not outlive what the role allows', async (t) => {
  await using world = await startWorld()
  const trust = [{ issuer: world.issuer.url, subject: SUBJECT }]
  const assume = async (DurationSeconds: string) => world.assume(await world.token(), { DurationSeconds })
  t.match(await assume('3601'), {
    status: 400,
    body: { Error: { Code: 'ValidationError', Message: /exceeds the MaxSessionDuration/ } },
  })
  world.aws.addRole(ROLE, { trust, maxSessionSeconds: 43_200 })
  t.equal((await assume('43200')).status, 200)
})

t.test('a parameter outside its constraint is refused, and every violation is told', async (t) => {
  await using world = await startWorld()
  const token = await world.token()
  const cases: [fields: Record<string, string | undefined>, message: RegExp][] = [
    [
      { RoleArn: undefined },
      /^1 validation error detected: Value null at 'roleArn' .* Member must not be null$/,
    ],
    [{ RoleArn: 'arn:aws:iam::1' }, /'roleArn' .* greater than or equal to 20/],
    [{ RoleArn: `${ROLE}${'x'.repeat(2048)}` }, /'roleArn' .* less than or equal to 2048/],
    [{ RoleArn: 'arn:aws:iam::123456789012:user/app' }, /^Request ARN is invalid$/],
    [{ RoleArn: 'arn:aws:iam::123456789012:role/' }, /^Request ARN is invalid$/],
    [{ RoleSessionName: undefined }, /Value null at 'roleSessionName'/],
    [{ RoleSessionName: 'x' }, /'roleSessionName' .* greater than or equal to 2$/],
    [{ RoleSessionName: 'x'.repeat(65) }, /'roleSessionName' .* less than or equal to 64$/],
    [{ RoleSessionName: 'ns/app' }, /'roleSessionName' .* regular expression pattern: \[\\w\+=,\.@-\]\*$/],
    [{ WebIdentityToken: undefined }, /Value null at 'webIdentityToken'/],
    [{ WebIdentityToken: 'x' }, /Value at 'webIdentityToken' .* greater than or equal to 4$/],
    [
      { WebIdentityToken: 'x'.repeat(20_001) },
      /^1 validation error detected: Value at 'webIdentityToken' [^x]*$/,
    ],
    [{ DurationSeconds: '899' }, /'durationSeconds' .* greater than or equal to 900$/],
    [{ DurationSeconds: '43201' }, /'durationSeconds' .* less than or equal to 43200$/],
    [{ DurationSeconds: 'NaN' }, /'durationSeconds' .* integer$/],
    [{ RoleSessionName: 'x', DurationSeconds: '0' }, /^2 validation errors detected: .*; .*$/],
  ]
  for (const [fields, message] of cases) {
    t.match(
      await world.assume(token, fields),
      { status: 400, body: { Error: { Code: 'ValidationError', Message: message } } },
      JSON.stringify(fields).slice(0, 80),
    )
  }
  t.same(world.issuer.requests, [], 'none of them reached the issuer')
})

t.test('setting up what IAM would not take throws', async (t) => {
  await using world = await startWorld()
  const { aws } = world
  t.throws(() => aws.addOidcProvider({ accountId: '1', issuer: 'https://x', clientIds: [] }), TypeError)
  t.throws(() => aws.addOidcProvider({ accountId: ACCOUNT, issuer: 'http://x', clientIds: [] }), TypeError)
  t.throws(() => aws.addRole('arn:aws:iam::1:role/x', { trust: [] }), TypeError)
  t.throws(() => aws.addRole(ROLE, { trust: [], maxSessionSeconds: 900 }), TypeError)
})
