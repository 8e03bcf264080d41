import fc from 'fast-check'
import t from 'tap'
import { azureToken } from '../../src/exchange/azure-answers.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

const SENT_AT = Date.UTC(2026, 0, 1)
const NBF = SENT_AT / 1000 - 300

const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
const read = (body: unknown) =>
  azureToken({
    status: 200,
    text: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfterMs: undefined,
    sentAt: SENT_AT,
  })
const body = (change: Record<string, unknown> = {}) => ({
  token_type: 'Bearer',
  expires_in: 3599,
  ext_expires_in: 3599,
  access_token: jwt({ nbf: NBF }),
  ...change,
})

t.test('a token is read with its beginning and its end', async (t) => {
  const token = read(body())
  t.equal(token.token.reveal(), jwt({ nbf: NBF }))
  t.equal(token.digest, token.token.digest)
  t.equal(token.expiresAt, SENT_AT + 3_599_000)
  t.equal(token.notBefore, NBF * 1000)
  t.equal(read(body({ expires_in: '86399' })).expiresAt, SENT_AT + 86_399_000)
})

t.test('a token that tells no beginning begins when it was asked for', async (t) => {
  for (const access_token of [
    'opaque',
    jwt({}),
    jwt({ nbf: 'x' }),
    jwt({ nbf: -1 }),
    jwt({ nbf: 1e300 }),
    jwt(7),
  ]) {
    t.equal(read(body({ access_token })).notBefore, SENT_AT, access_token)
  }
})

t.test('what lacks something is no token', async (t) => {
  for (const change of [
    { token_type: undefined },
    { token_type: 'pop' },
    { expires_in: undefined },
    { expires_in: 0 },
    { expires_in: -1 },
    { expires_in: '1h' },
    { expires_in: 1e9 },
    { access_token: undefined },
    { access_token: '' },
    { access_token: 'a b' },
    { access_token: 'x'.repeat(32_769) },
  ]) {
    const broken = JSON.parse(JSON.stringify(body(change)))
    t.throws(
      () => read(broken),
      { code: 'EXCHANGE_MALFORMED', retryable: true },
      JSON.stringify(change).slice(0, 60),
    )
  }
  for (const text of ['', 'null', '[]', '<html>']) t.throws(() => read(text), { code: 'EXCHANGE_MALFORMED' })
})

t.test('whatever Entra answers is a token with a sane life, or malformed', async () => {
  const value = fc.oneof(
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, 'Bearer', '60', jwt({ nbf: 1 })),
  )
  const keys = { token_type: value, expires_in: value, access_token: value }
  fc.assert(
    fc.property(fc.oneof(fc.record(keys, { requiredKeys: [] }), fc.string()), (given) => {
      try {
        const { expiresAt, notBefore } = read(given)
        return (
          expiresAt > SENT_AT && expiresAt <= SENT_AT + 172_800_000 && notBefore < expiresAt && notBefore >= 0
        )
      } catch (error) {
        return error instanceof MetadatadError && error.code === 'EXCHANGE_MALFORMED'
      }
    }),
  )
})
