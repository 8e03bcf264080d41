import { type ErrorCode, type ErrorDetails, MetadatadError } from '../lib/errors.ts'
import type { AwsFailure } from './aws-failure.ts'

/** What STS was asked, for the words of its refusal. */
export interface AwsStsContext {
  readonly roleArn: string
  readonly accountId: string
  readonly region: string
  /** `system:serviceaccount:NAMESPACE:NAME` */
  readonly subject: string
  readonly audience: string
  /** Of the service-account token, if it says. */
  readonly issuer: string | undefined
}

const THROTTLED: ReadonlySet<string> = new Set([
  'Throttling',
  'Throttled',
  'ThrottledRequest',
  'RequestThrottled',
  'RequestLimitExceeded',
  'TooManyRequests',
  'SlowDown',
])
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'IDPCommunicationError',
  'InternalError',
  'InternalFailure',
  'RequestTimeout',
  'ServiceUnavailable',
])

/**
 * What a refusal of AssumeRoleWithWebIdentity means
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html, "Errors"). Every refusal names the
 * role, the OIDC subject and the audience: the three that a trust policy has to agree with.
 */
export function awsStsError(failure: AwsFailure, context: AwsStsContext): MetadatadError {
  const { code, status, description } = failure
  const { roleArn, subject, audience, region } = context
  const issuer = context.issuer ?? "this cluster's issuer"
  const asked = `role ${roleArn}, subject ${subject}, audience ${audience}`

  if (THROTTLED.has(code) || status === 429) {
    return coded('EXCHANGE_THROTTLED', 'aws sts throttles', failure, {
      fault: 'upstream',
      retryable: true,
      publicMessage: `AWS STS gets too many requests (${code}). Try again later.`,
    })
  }
  if (UNAVAILABLE.has(code) || status >= 500 || status === 408) {
    return coded('EXCHANGE_UNAVAILABLE', 'aws sts is unavailable', failure, {
      fault: 'upstream',
      retryable: true,
      publicMessage:
        code === 'IDPCommunicationError'
          ? `AWS STS could not reach ${issuer}. Check that it is reachable from the internet. Try again.`
          : `AWS STS is unavailable at the moment (${code}). Try again.`,
    })
  }
  // Whoever it is, it has not decided about the role: a session that is there is still good.
  if (code === String(status)) {
    return coded('EXCHANGE_MALFORMED', 'answer is not of aws sts', failure, {
      fault: 'upstream',
      retryable: true,
      publicMessage: `Something else than AWS STS answered ${status} at its address (${asked}). Check aws.endpoints.sts, and the proxies and firewalls on the way there. Try again.`,
    })
  }
  const refused = (errorCode: ErrorCode, publicMessage: string) =>
    coded(errorCode, 'aws sts refused the role session', failure, { fault: 'policy', publicMessage })

  switch (code) {
    case 'ExpiredToken':
      return coded('EXCHANGE_SUBJECT_EXPIRED', 'aws sts calls the service account token expired', failure, {
        fault: 'upstream',
        retryable: true,
        publicMessage: `AWS STS calls this pod's service-account token expired (${asked}). Check the node's clock.`,
      })
    case 'InvalidIdentityToken':
      if (/retrieve verification key/i.test(description)) {
        return coded('EXCHANGE_UNAVAILABLE', 'aws sts could not fetch the keys of the issuer', failure, {
          fault: 'upstream',
          retryable: true,
          publicMessage: `AWS STS could not fetch the keys of ${issuer} (${asked}). Check that its discovery document and JWKS are reachable from the internet.`,
        })
      }
      return refused(
        'EXCHANGE_MISCONFIGURED',
        /audience/i.test(description)
          ? `AWS STS does not accept the audience of this pod's service-account token (${asked}). Add ${audience} to the client IDs of the IAM OIDC provider for ${issuer} in account ${context.accountId}.`
          : `AWS STS does not accept this pod's service-account token (InvalidIdentityToken; ${asked}). Check that account ${context.accountId} has an IAM OIDC provider for ${issuer} with the client ID ${audience}, and that the role's trust policy names it as Principal.Federated.`,
      )
    case 'IDPRejectedClaim':
      return refused(
        'EXCHANGE_REFUSED',
        `The OIDC issuer rejected this pod's service-account token (IDPRejectedClaim; ${asked}). Check the IAM OIDC provider for ${issuer} that the role's trust policy names.`,
      )
    case 'AccessDenied':
      return refused(
        'EXCHANGE_REFUSED',
        `Not authorized to perform sts:AssumeRoleWithWebIdentity: ${asked}. Let the role's trust policy allow sts:AssumeRoleWithWebIdentity to the IAM OIDC provider for ${issuer} as Principal.Federated, on the conditions that its :sub is ${subject} and its :aud is ${audience}. Check that the role exists, too.`,
      )
    case 'RegionDisabled':
      return refused(
        'EXCHANGE_MISCONFIGURED',
        `AWS STS is not activated in ${region} for account ${context.accountId} (${asked}). Activate it in the account settings of IAM; the trust policy needs no change.`,
      )
    case 'ValidationError':
      if (/DurationSeconds/i.test(description)) {
        return refused(
          'EXCHANGE_MISCONFIGURED',
          `The session asked for is longer than the role's maximum session duration (${asked}). Raise the role's MaxSessionDuration, or lower aws.sessionDuration; the trust policy needs no change.`,
        )
      }
  }
  return refused(
    status === 403 ? 'EXCHANGE_REFUSED' : 'EXCHANGE_MISCONFIGURED',
    `AWS STS refused the role session (${code}; ${asked}). Check the role's trust policy; the log of the metadata daemon has AWS's own words.`,
  )
}

function coded(
  code: ErrorCode,
  message: string,
  { description, code: providerCode, retryAfterMs }: AwsFailure,
  details: Pick<ErrorDetails, 'fault' | 'publicMessage'> & { retryable?: boolean },
): MetadatadError {
  return new MetadatadError(code, description === '' ? message : `${message}: ${description}`, {
    retryable: false,
    ...details,
    providerCode,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}
