import t from 'tap'
import { awsStsError } from '../../src/exchange/aws-errors.ts'
import { parseAwsFailure } from '../../src/exchange/aws-failure.ts'
import type { ErrorCode } from '../../src/lib/errors.ts'

const ROLE = 'arn:aws:iam::123456789012:role/web'
const SUBJECT = 'system:serviceaccount:team-a:web'
const context = {
  roleArn: ROLE,
  accountId: '123456789012',
  region: 'eu-west-1',
  subject: SUBJECT,
  audience: 'sts.amazonaws.com',
  issuer: 'https://issuer.example/cluster',
}

function error(status: number, Code: string, Message = 'Words.', retryAfterMs?: number) {
  const text = JSON.stringify({ Error: { Code, Message, Type: 'Sender' }, RequestId: 'x' })
  return awsStsError(parseAwsFailure({ status, text, retryAfterMs }), context)
}

t.test('each refusal of STS says what to change', async (t) => {
  const cases: [number, string, string, ErrorCode, RegExp][] = [
    [
      403,
      'AccessDenied',
      'Not authorized to perform sts:AssumeRoleWithWebIdentity',
      'EXCHANGE_REFUSED',
      /Let the role's trust policy allow .*https:\/\/issuer\.example\/cluster as Principal\.Federated.* :sub is system:serviceaccount:team-a:web .* :aud is sts\.amazonaws\.com/,
    ],
    [
      403,
      'AccessDeniedException',
      '',
      'EXCHANGE_REFUSED',
      /Not authorized to perform sts:AssumeRoleWithWebIdentity/,
    ],
    [
      400,
      'InvalidIdentityToken',
      'No OpenIDConnect provider found in your account for https://issuer.example/cluster',
      'EXCHANGE_MISCONFIGURED',
      /account 123456789012 has an IAM OIDC provider for https:\/\/issuer\.example\/cluster with the client ID sts\.amazonaws\.com/,
    ],
    [
      400,
      'InvalidIdentityToken',
      'Incorrect token audience',
      'EXCHANGE_MISCONFIGURED',
      /Add sts\.amazonaws\.com to the client IDs/,
    ],
    [403, 'IDPRejectedClaim', '', 'EXCHANGE_REFUSED', /OIDC issuer rejected/],
    [
      403,
      'RegionDisabledException',
      'STS is not activated in this region',
      'EXCHANGE_MISCONFIGURED',
      /not activated in eu-west-1 for account 123456789012.*Activate it/,
    ],
    [
      400,
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      'EXCHANGE_MISCONFIGURED',
      /Raise the role's MaxSessionDuration, or lower aws\.sessionDuration/,
    ],
    [
      400,
      'ValidationError',
      '1 validation error detected',
      'EXCHANGE_MISCONFIGURED',
      /\(ValidationError; role/,
    ],
    [400, 'PackedPolicyTooLarge', '', 'EXCHANGE_MISCONFIGURED', /PackedPolicyTooLarge/],
    [400, 'MalformedPolicyDocument', '', 'EXCHANGE_MISCONFIGURED', /MalformedPolicyDocument/],
    [403, 'SomethingNew', '', 'EXCHANGE_REFUSED', /SomethingNew/],
    [404, 'SomethingNew', '', 'EXCHANGE_MISCONFIGURED', /SomethingNew/],
  ]
  for (const [status, code, message, wanted, words] of cases) {
    const found = error(status, code, message)
    t.match(
      found,
      { code: wanted, retryable: false, fault: 'policy', publicMessage: words },
      `${code} ${message}`,
    )
    for (const named of [ROLE, SUBJECT, 'sts.amazonaws.com'])
      t.ok(found.publicMessage.includes(named), `${code} names ${named}`)
  }
})

t.test('what passes by itself is retryable, whatever its status', async (t) => {
  const cases: [number, string, string, ErrorCode][] = [
    [400, 'IDPCommunicationError', '', 'EXCHANGE_UNAVAILABLE'],
    [400, 'IDPCommunicationErrorException', '', 'EXCHANGE_UNAVAILABLE'],
    [
      400,
      'InvalidIdentityToken',
      "Couldn't retrieve verification key from your identity provider",
      'EXCHANGE_UNAVAILABLE',
    ],
    [400, 'ExpiredTokenException', '', 'EXCHANGE_SUBJECT_EXPIRED'],
    [400, 'Throttling', 'Rate exceeded', 'EXCHANGE_THROTTLED'],
    [400, 'ThrottlingException', '', 'EXCHANGE_THROTTLED'],
    [503, 'RequestLimitExceeded', '', 'EXCHANGE_THROTTLED'],
    [429, 'X', '', 'EXCHANGE_THROTTLED'],
    [500, 'InternalFailure', '', 'EXCHANGE_UNAVAILABLE'],
    [503, 'ServiceUnavailable', '', 'EXCHANGE_UNAVAILABLE'],
    [502, 'AccessDenied', '', 'EXCHANGE_UNAVAILABLE'],
    [408, '', '', 'EXCHANGE_UNAVAILABLE'],
  ]
  for (const [status, code, message, wanted] of cases) {
    t.match(
      error(status, code, message, 3_000),
      { code: wanted, retryable: true, fault: 'upstream', retryAfterMs: 3_000 },
      `${status} ${code}`,
    )
  }
})

t.test(
  "a page of somebody else's, such as a proxy's, is no decision of STS: sessions outlast it",
  async (t) => {
    for (const [status, text] of [
      [302, ''],
      [301, '<html>Moved</html>'],
      [403, '<html><body>Blocked by policy</body></html>'],
      [404, 'not found'],
      [407, '{"error":"proxy"}'],
    ] as const) {
      t.match(awsStsError(parseAwsFailure({ status, text, retryAfterMs: undefined }), context), {
        code: 'EXCHANGE_MALFORMED',
        retryable: true,
        publicMessage: /aws\.endpoints\.sts/,
      })
    }
  },
)

t.test("AWS's own words are for the operator, not for the pod", async (t) => {
  const found = error(403, 'AccessDenied', 'The words of AWS')
  t.match(found.message, /: The words of AWS$/)
  t.notMatch(found.publicMessage, /The words of AWS/)
  t.equal(found.providerCode, 'AccessDenied')
})

t.test('every message for a pod is one or more sentences', async (t) => {
  for (const status of [302, 400, 403, 404, 429, 500]) {
    const failure = parseAwsFailure({ status, text: '', retryAfterMs: undefined })
    t.match(awsStsError(failure, { ...context, issuer: undefined }).publicMessage, /^[A-Z][\s\S]*\.$/)
  }
})
