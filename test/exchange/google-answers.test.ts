import fc from 'fast-check'
import { UnsecuredJWT } from 'jose'
import t from 'tap'
import { type GoogleToken, iamAccessToken, iamIdToken, stsToken } from '../../src/exchange/google-answers.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

const sentAt = Date.UTC(2026, 0, 1)
const answer = (body: unknown) => ({
  status: 200,
  text: typeof body === 'string' ? body : JSON.stringify(body),
  retryAfterMs: undefined,
  sentAt,
})
const sts = (change: object) =>
  stsToken(answer({ access_token: 'ya29.x', token_type: 'Bearer', expires_in: 3599, ...change }))
const access = (change: object) =>
  iamAccessToken(answer({ accessToken: 'ya29.x', expireTime: '2026-01-01T01:00:00Z', ...change }))
const jwt = (claims: Record<string, unknown>) => new UnsecuredJWT(claims).encode()
const id = (claims: Record<string, unknown>) => iamIdToken(answer({ token: jwt(claims) }), 'aud')
const exp = sentAt / 1000 + 3600

t.test('an STS token ends its life after the request was sent', async (t) => {
  const token = sts({})
  t.equal(token.token.reveal(), 'ya29.x')
  t.equal(token.expiresAt, sentAt + 3_599_000)
  t.equal(token.digest, token.token.digest)
})

t.test('an STS life is a number of 1 to 43200 seconds', async (t) => {
  t.equal(sts({ expires_in: 1.9 }).expiresAt, sentAt + 1_000)
  t.equal(sts({ expires_in: 43_200 }).expiresAt, sentAt + 43_200_000)
  for (const expires_in of [undefined, null, 0, 0.5, -1, 43_201, 1e300, '3599', [3599]]) {
    t.throws(
      () => sts({ expires_in }),
      { code: 'EXCHANGE_MALFORMED', retryable: true },
      JSON.stringify(expires_in),
    )
  }
})

t.test('an STS token is a bearer token', async (t) => {
  t.ok(sts({ token_type: 'bearer' }))
  for (const token_type of [undefined, 'N_A', 7]) {
    t.throws(() => sts({ token_type }), { code: 'EXCHANGE_MALFORMED' }, String(token_type))
  }
})

t.test('a token is printable, not empty and at most 16 KiB', async (t) => {
  t.ok(sts({ access_token: 'x'.repeat(16_384) }))
  for (const token of [undefined, null, '', 7, 'a b', 'a\r\nb', 'é', 'x\n', 'x'.repeat(16_385)]) {
    t.throws(() => sts({ access_token: token }), { code: 'EXCHANGE_MALFORMED' })
    t.throws(() => access({ accessToken: token }), { code: 'EXCHANGE_MALFORMED' })
    t.throws(() => iamIdToken(answer({ token }), 'aud'), { code: 'EXCHANGE_MALFORMED' })
  }
})

t.test('an access token ends when RFC 3339 says', async (t) => {
  t.equal(access({}).expiresAt, sentAt + 3_600_000)
  t.equal(access({ expireTime: '2026-01-01T00:59:00.123456789Z' }).expiresAt, sentAt + 3_540_123)
  t.equal(access({ expireTime: '2026-01-01T01:59:00+01:00' }).expiresAt, sentAt + 3_540_000)
  for (const expireTime of [
    undefined,
    null,
    1767229200,
    '',
    '2026-01-01',
    '2026-01-01 01:00:00Z',
    '2026-01-01T01:00:00',
    '2026-13-01T01:00:00Z',
    'Thu, 01 Jan 2026 01:00:00 GMT',
    '2026-01-01T00:00:00Z',
    '2025-12-31T23:59:59Z',
    '2026-01-01T12:00:01Z',
    '9999-01-01T00:00:00Z',
  ]) {
    t.throws(() => access({ expireTime }), { code: 'EXCHANGE_MALFORMED' }, String(expireTime))
  }
})

t.test('an ID token ends when it says itself', async (t) => {
  t.equal(id({ aud: 'aud', exp }).expiresAt, sentAt + 3_600_000)
  for (const claims of [
    {},
    { exp: String(exp) },
    { exp: exp - 3600 },
    { exp: exp + 86_400 },
    { exp: null },
  ]) {
    t.throws(() => id({ aud: 'aud', ...claims }), { code: 'EXCHANGE_MALFORMED' }, JSON.stringify(claims))
  }
})

t.test('a clock that is late makes no token live longer than it was asked to', async (t) => {
  t.equal(access({ expireTime: '2026-01-01T01:10:00Z' }).expiresAt, sentAt + 3_600_000)
  t.equal(id({ aud: 'aud', exp: exp + 600 }).expiresAt, sentAt + 3_600_000)
})

t.test('an ID token for another audience is none', async (t) => {
  for (const aud of ['other', ['aud'], undefined, 'AUD']) {
    t.throws(() => id({ exp, ...(aud !== undefined && { aud }) }), { code: 'EXCHANGE_MALFORMED' })
  }
  t.throws(() => iamIdToken(answer({ token: 'no.jwt.atall' }), 'aud'), { code: 'EXCHANGE_MALFORMED' })
})

t.test('whatever comes back is a good token or a coded failure that shows nothing of it', async () => {
  const field = fc.oneof(fc.string(), fc.double(), fc.constant('ya29.x'), fc.constant(3599), fc.jsonValue())
  const body = fc.oneof(
    fc.record({
      access_token: field,
      token_type: fc.constantFrom('Bearer', 'x'),
      expires_in: field,
      accessToken: field,
      expireTime: field,
      token: field,
    }),
    fc.jsonValue(),
    fc.string(),
  )
  const readers: ((a: ReturnType<typeof answer>) => GoogleToken)[] = [
    stsToken,
    iamAccessToken,
    (a) => iamIdToken(a, 'aud'),
  ]
  fc.assert(
    fc.property(body, fc.constantFrom(...readers), (body, read) => {
      try {
        const { token, expiresAt } = read(answer(body))
        const life = expiresAt - sentAt
        return /^[\x21-\x7e]+$/.test(token.reveal()) && life > 0 && life <= 43_200_000
      } catch (error) {
        return error instanceof MetadatadError && error.code === 'EXCHANGE_MALFORMED'
      }
    }),
    { numRuns: 2_000 },
  )
})
