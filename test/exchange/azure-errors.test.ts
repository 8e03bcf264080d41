import fc from 'fast-check'
import t from 'tap'
import { entraError } from '../../src/exchange/azure-errors.ts'
import { parseAzureFailure } from '../../src/exchange/azure-failure.ts'
import type { ErrorCode } from '../../src/lib/errors.ts'

const context = {
  tenantId: 'the-tenant',
  clientId: 'the-client',
  scope: 'https://management.azure.com/.default',
  subject: 'system:serviceaccount:team-a:web',
  audience: 'api://AzureADTokenExchange',
  issuer: 'https://issuer.example/cluster',
}

const body = (aadsts: number, error = 'invalid_client') => ({
  error,
  error_description: `AADSTS${aadsts}: Words. Trace ID: 1 Correlation ID: 2 Timestamp: 2026-01-01 00:00:00Z`,
  error_codes: [aadsts],
  timestamp: '2026-01-01 00:00:00Z',
  error_uri: `https://login.microsoftonline.com/error?code=${aadsts}`,
})
const parse = (status: number, given: unknown, retryAfterMs?: number) =>
  parseAzureFailure({ status, text: typeof given === 'string' ? given : JSON.stringify(given), retryAfterMs })
const error = (status: number, aadsts: number, settling = false, retryAfterMs?: number) =>
  entraError(parse(status, body(aadsts), retryAfterMs), context, () => settling)

t.test('the code of a refusal is read from its list, else from its words', async (t) => {
  t.strictSame(parse(401, body(700213)), {
    status: 401,
    error: 'invalid_client',
    aadsts: 700213,
    description: 'AADSTS700213: Words. Trace ID: 1 Correlation ID: 2 Timestamp: 2026-01-01 00:00:00Z',
    retryAfterMs: undefined,
  })
  t.equal(parse(400, { error_description: 'AADSTS7002138: No.' }).aadsts, 7_002_138)
  for (const codes of [[], ['700213'], [-1], [1.5], [1e12], 'x', null]) {
    t.equal(parse(400, { error_codes: codes, error_description: 'No.' }).aadsts, undefined)
  }
})

t.test('a refusal in no known form is known by its status', async (t) => {
  for (const given of ['', '<html>', 'null', '[]', { error: 7 }, { error: 'no code' }, { error: {} }]) {
    t.match(parse(502, given), { error: '502', aadsts: undefined, description: '' })
  }
})

t.test('whatever Entra says, what is kept is bounded and printable', async () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.array(fc.integer()),
    fc.constant(null),
  )
  const answer = fc.record({ error: leaf, error_codes: leaf, error_description: leaf }, { requiredKeys: [] })
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.oneof(answer, fc.string(), fc.json()),
      (status, given) => {
        const failure = parse(status, given)
        const { publicMessage } = entraError(failure, context, () => false)
        return (
          /^(?:\d{3}|[A-Za-z]\w{0,63})$/.test(failure.error) &&
          /^[\x20-\x7e]{0,300}$/.test(failure.description) &&
          /^[A-Z][\x20-\x7e]*\.$/.test(publicMessage)
        )
      },
    ),
  )
})

t.test('what passes by itself is retryable, whatever its status', async (t) => {
  const cases: [number, number, ErrorCode][] = [
    [429, 50196, 'EXCHANGE_THROTTLED'],
    [400, 90055, 'EXCHANGE_THROTTLED'],
    [500, 1, 'EXCHANGE_UNAVAILABLE'],
    [503, 700016, 'EXCHANGE_UNAVAILABLE'],
    [408, 1, 'EXCHANGE_UNAVAILABLE'],
    ...[90006, 90012, 90024, 90033, 90061, 50166, 7000272].map((aadsts): [number, number, ErrorCode] => [
      400,
      aadsts,
      'EXCHANGE_UNAVAILABLE',
    ]),
    [401, 700024, 'EXCHANGE_SUBJECT_EXPIRED'],
  ]
  for (const [status, aadsts, code] of cases) {
    t.match(error(status, aadsts, false, 7_000), {
      code,
      retryable: true,
      fault: 'upstream',
      retryAfterMs: 7_000,
    })
  }
})

t.test('what OAuth calls passing is retryable without a code of Entra', async (t) => {
  for (const name of ['temporarily_unavailable', 'server_error']) {
    const found = entraError(parse(400, { error: name }), context, () => false)
    t.match(found, { code: 'EXCHANGE_UNAVAILABLE', retryable: true })
  }
})

t.test('what Entra may not have heard of yet is retryable at first, and permanent later', async (t) => {
  for (const aadsts of [70021, 700016, 700211, 700212, 700213]) {
    t.match(error(401, aadsts, true), {
      code: 'EXCHANGE_UNAVAILABLE',
      retryable: true,
      retryAfterMs: 5_000,
      providerCode: `AADSTS${aadsts}`,
      publicMessage:
        /issuer https:\/\/issuer\.example\/cluster, subject system:serviceaccount:team-a:web and audience api:\/\/AzureADTokenExchange.*try again/,
    })
    t.match(error(401, aadsts), {
      code: 'EXCHANGE_MISCONFIGURED',
      retryable: false,
      fault: 'policy',
      publicMessage:
        /issuer https:\/\/issuer\.example\/cluster, subject system:serviceaccount:team-a:web and audience api:\/\/AzureADTokenExchange/,
    })
  }
})

t.test('each other refusal says what it is, at once', async (t) => {
  const cases: [number, ErrorCode, RegExp][] = [
    [7002138, 'EXCHANGE_MISCONFIGURED', /letter by letter/],
    [
      7002121,
      'EXCHANGE_MISCONFIGURED',
      /No federated credential of application the-client in tenant the-tenant/,
    ],
    [7002206, 'EXCHANGE_MISCONFIGURED', /AADSTS7002206/],
    [90002, 'EXCHANGE_MISCONFIGURED', /does not know tenant the-tenant/],
    [500011, 'REQUEST_INVALID', /scope https:\/\/management\.azure\.com\/\.default/],
    [50001, 'REQUEST_INVALID', /resource/],
    [70011, 'REQUEST_INVALID', /resource/],
    [7000112, 'EXCHANGE_REFUSED', /AADSTS7000112.*federated credential with issuer https/],
    [90036, 'EXCHANGE_REFUSED', /AADSTS90036/],
  ]
  for (const [aadsts, code, words] of cases) {
    for (const settling of [true, false]) {
      t.match(error(400, aadsts, settling), { code, retryable: false, publicMessage: words }, `${aadsts}`)
    }
  }
  const oauth = (name: string) => entraError(parse(400, { error: name }), context, () => true)
  t.equal(oauth('invalid_scope').code, 'REQUEST_INVALID')
  t.match(oauth('unauthorized_client'), { code: 'EXCHANGE_REFUSED', providerCode: 'unauthorized_client' })
})

t.test(
  "a page of somebody else's, such as a proxy's, is no decision of Entra: tokens outlast it",
  async (t) => {
    for (const [status, given] of [
      [302, ''],
      [403, '<html><body>Blocked by policy</body></html>'],
      [404, 'not found'],
      [407, { error: { code: 407 } }],
    ] as const) {
      t.match(
        entraError(parse(status, given), context, () => true),
        { code: 'EXCHANGE_MALFORMED', retryable: true, publicMessage: /azure\.endpoints\.authority/ },
      )
    }
  },
)

t.test("Entra's own words are for the operator, not for the pod", async (t) => {
  t.match(error(400, 90002).message, /: AADSTS90002: Words\./)
  t.notMatch(error(400, 90002).publicMessage, /Words/)
})
