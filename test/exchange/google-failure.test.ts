import fc from 'fast-check'
import t from 'tap'
import { parseGoogleFailure } from '../../src/exchange/google-failure.ts'

const parse = (status: number, body: unknown) =>
  parseGoogleFailure({
    status,
    text: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfterMs: undefined,
  })

t.test('the OAuth form of STS is read', async (t) => {
  t.match(parse(400, { error: 'invalid_grant', error_description: 'The audience is wrong.' }), {
    status: 400,
    code: 'invalid_grant',
    reason: undefined,
    description: 'The audience is wrong.',
  })
})

t.test('the form of all other APIs is read', async (t) => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.Help' }, { reason: 'SERVICE_DISABLED' }]
  const error = { code: 403, message: 'Disabled.', status: 'PERMISSION_DENIED', details }
  t.match(parse(403, { error }), {
    code: 'PERMISSION_DENIED',
    reason: 'SERVICE_DISABLED',
    description: 'Disabled.',
  })
})

t.test('an answer in no known form is known by its status', async (t) => {
  for (const body of ['', '<html>', '[]', 'null', '{}', { error: 7 }, { error: 'no code' }, { error: [] }]) {
    t.match(parse(502, body), { code: '502', reason: undefined, description: '' }, JSON.stringify(body))
  }
})

t.test('a token that Google repeats is not kept', async (t) => {
  const jwt = `${'e'.repeat(100)}.${'y'.repeat(300)}.${'S'.repeat(342)}`
  const { description } = parse(400, { error: 'invalid_grant', error_description: `Bad token ${jwt} given.` })
  t.equal(description, 'Bad token [redacted].[redacted].[redacted] given.')
})

t.test('names are kept', async (t) => {
  const words =
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-pool/providers/my-provider is not system:serviceaccount:team-a:web's"
  t.equal(parse(400, { error: 'invalid_grant', error_description: words }).description, words)
})

t.test('whatever Google says, what is kept is bounded and printable', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 500 })
  const details = fc.array(fc.oneof(fc.record({ reason: fc.oneof(text, fc.integer()) }), fc.jsonValue()))
  const error = fc.oneof(text, fc.record({ status: text, message: text, details }), fc.jsonValue())
  const body = fc.oneof(fc.record({ error, error_description: text }), fc.jsonValue(), text)
  fc.assert(
    fc.property(body, (body) => {
      const { code, reason, description } = parse(400, body)
      return (
        /^\w{1,64}$/.test(code) &&
        (reason === undefined || /^\w{1,64}$/.test(reason)) &&
        /^[\x20-\x7e]{0,300}$/.test(description)
      )
    }),
    { numRuns: 1_000 },
  )
})
