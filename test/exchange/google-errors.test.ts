import t from 'tap'
import { iamError, stsError } from '../../src/exchange/google-errors.ts'
import { parseGoogleFailure } from '../../src/exchange/google-failure.ts'
import type { ErrorCode } from '../../src/lib/errors.ts'

const context = { audience: '//iam.googleapis.com/the-provider', subjectAudience: 'the-audience' }
const email = 'web@proj.iam.gserviceaccount.com'
const identity = {
  cloud: 'google',
  serviceAccountEmail: email,
  quotaProject: 'billing',
  email,
  member: 'principal://the-member',
} as const

const failure = (status: number, body: unknown, retryAfterMs?: number) =>
  parseGoogleFailure({ status, text: JSON.stringify(body), retryAfterMs })
const sts = (status: number, body: unknown) => stsError(failure(status, body), context)
const oauth = (error: string, error_description = '') => sts(400, { error, error_description })
const iam = (
  code: number,
  status: string,
  reason?: string,
  method: 'generateAccessToken' | 'generateIdToken' = 'generateAccessToken',
) =>
  iamError(
    failure(code, { error: { code, status, message: 'Words.', details: reason ? [{ reason }] : [] } }),
    {
      identity,
      method,
    },
  )

t.test('each refusal of STS says what to check', async (t) => {
  const cases: [string, string, ErrorCode, RegExp][] = [
    [
      'invalid_grant',
      'The audience in ID Token [x] does not match the expected audience.',
      'EXCHANGE_MISCONFIGURED',
      /issuer.*the-audience.*google\.subject/,
    ],
    [
      'invalid_grant',
      'The issuer in ID Token https://expired.example does not match.',
      'EXCHANGE_MISCONFIGURED',
      /the-provider has this cluster's issuer/,
    ],
    [
      'invalid_grant',
      'ID Token issued at 1749625771 is stale to sign-in.',
      'EXCHANGE_SUBJECT_EXPIRED',
      /clock/,
    ],
    [
      'invalid_grant',
      'The ID Token could not be verified: ERR_JWS_SIGNATURE.',
      'EXCHANGE_SUBJECT_EXPIRED',
      /signing keys/,
    ],
    [
      'invalid_grant',
      "Error connecting to the given credential's issuer.",
      'EXCHANGE_UNAVAILABLE',
      /reachable from the internet/,
    ],
    ['invalid_target', '', 'EXCHANGE_MISCONFIGURED', /does not know .*the-provider/],
    [
      'unauthorized_client',
      'The given credential is rejected by the attribute condition.',
      'EXCHANGE_MISCONFIGURED',
      /attribute condition/,
    ],
    ['invalid_request', '', 'EXCHANGE_MISCONFIGURED', /attribute mapping/],
    ['invalid_scope', '', 'REQUEST_INVALID', /scopes/],
    ['unsupported_grant_type', '', 'EXCHANGE_MISCONFIGURED', /log of the metadata daemon/],
    ['temporarily_unavailable', '', 'EXCHANGE_UNAVAILABLE', /Try again/],
  ]
  for (const [error, description, code, words] of cases) {
    const found = oauth(error, description)
    t.match(found, { code, providerCode: error, publicMessage: words }, `${error} ${description}`)
    t.equal(
      found.retryable,
      code === 'EXCHANGE_UNAVAILABLE' || code === 'EXCHANGE_SUBJECT_EXPIRED',
      `${error} retryable`,
    )
  }
})

t.test("STS's own words are for the operator, not for the pod", async (t) => {
  const found = oauth('invalid_target', 'The words of STS.')
  t.match(found.message, /: The words of STS\.$/)
  t.notMatch(found.publicMessage, /The words of STS/)
})

t.test('a disabled STS says which API to enable', async (t) => {
  const error = { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'SERVICE_DISABLED' }] }
  t.match(sts(403, { error }), {
    code: 'EXCHANGE_MISCONFIGURED',
    publicMessage: /Enable sts\.googleapis\.com/,
  })
})

t.test(
  "a missing permission is told in GKE's words, with the member and the role that mend it",
  async (t) => {
    const found = iam(403, 'PERMISSION_DENIED', 'IAM_PERMISSION_DENIED')
    t.match(found, { code: 'EXCHANGE_REFUSED', fault: 'policy', retryable: false })
    t.equal(
      found.publicMessage,
      "Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\n" +
        'This error could be caused by a missing IAM policy binding on the target IAM service account.\n' +
        'Grant roles/iam.workloadIdentityUser on web@proj.iam.gserviceaccount.com to principal://the-member.',
    )
    t.equal(iam(403, 'PERMISSION_DENIED').publicMessage, found.publicMessage)
    t.match(
      iam(403, 'PERMISSION_DENIED', undefined, 'generateIdToken').publicMessage,
      /^Unable to generate identity token; IAM returned 403 Forbidden: Permission 'iam\.serviceAccounts\.getOpenIdToken' denied/,
    )
  },
)

t.test('each other refusal of IAM says what it is', async (t) => {
  const cases: [ReturnType<typeof iam>, ErrorCode, RegExp][] = [
    [
      iam(403, 'PERMISSION_DENIED', 'SERVICE_DISABLED'),
      'EXCHANGE_REFUSED',
      /Enable iamcredentials\.googleapis\.com/,
    ],
    [
      iam(403, 'PERMISSION_DENIED', 'USER_PROJECT_DENIED'),
      'EXCHANGE_REFUSED',
      /project billing\. Grant roles\/serviceusage\.serviceUsageConsumer on it to principal:/,
    ],
    [
      iam(403, 'PERMISSION_DENIED', 'SECURITY_POLICY_VIOLATED'),
      'EXCHANGE_REFUSED',
      /403 \(SECURITY_POLICY_VIOLATED\)/,
    ],
    [iam(404, 'NOT_FOUND'), 'EXCHANGE_REFUSED', /web@proj\.iam\.gserviceaccount\.com does not exist/],
    [iam(400, 'FAILED_PRECONDITION'), 'EXCHANGE_REFUSED', /400 \(FAILED_PRECONDITION\)/],
    [iam(400, 'INVALID_ARGUMENT'), 'REQUEST_INVALID', /Check the scopes/],
    [iam(400, 'INVALID_ARGUMENT', undefined, 'generateIdToken'), 'REQUEST_INVALID', /Check the audience/],
  ]
  for (const [found, code, words] of cases) {
    t.match(found, { code, retryable: false, publicMessage: words })
  }
  t.match(iam(401, 'UNAUTHENTICATED'), { code: 'EXCHANGE_SUBJECT_EXPIRED', retryable: true })
})

t.test('what passes by itself is retryable, for STS and IAM alike', async (t) => {
  const cases: [number, string, ErrorCode][] = [
    [429, 'RESOURCE_EXHAUSTED', 'EXCHANGE_THROTTLED'],
    [403, 'RESOURCE_EXHAUSTED', 'EXCHANGE_THROTTLED'],
    [503, 'UNAVAILABLE', 'EXCHANGE_UNAVAILABLE'],
    [500, 'INTERNAL', 'EXCHANGE_UNAVAILABLE'],
    [504, 'DEADLINE_EXCEEDED', 'EXCHANGE_UNAVAILABLE'],
    [408, '', 'EXCHANGE_UNAVAILABLE'],
    [409, 'ABORTED', 'EXCHANGE_UNAVAILABLE'],
    [502, 'PERMISSION_DENIED', 'EXCHANGE_UNAVAILABLE'],
  ]
  for (const [code, status, wanted] of cases) {
    const found = failure(code, { error: { code, status } }, 7_000)
    const expected = { code: wanted, retryable: true, fault: 'upstream', retryAfterMs: 7_000 }
    t.match(stsError(found, context), expected, `sts ${code} ${status}`)
    t.match(iamError(found, { identity, method: 'generateIdToken' }), expected, `iam ${code} ${status}`)
  }
})

t.test('an answer that is not in Google’s words refuses nobody, and names what to look at', async (t) => {
  for (const status of [302, 403, 407, 404]) {
    const expected = { code: 'EXCHANGE_MALFORMED', retryable: true, publicMessage: /google\.endpoints/ }
    t.match(sts(status, {}), expected)
    t.match(iamError(failure(status, {}), { identity, method: 'generateAccessToken' }), expected)
  }
})

t.test('every message for a pod is one or more sentences', async (t) => {
  for (const status of [302, 400, 401, 403, 404, 408, 429, 500]) {
    for (const error of [
      stsError(failure(status, {}), context),
      iamError(failure(status, {}), { identity, method: 'generateIdToken' }),
    ]) {
      t.match(error.publicMessage, /^[A-Z][\s\S]*\.$/)
    }
  }
})
