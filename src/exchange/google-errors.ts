import type { GoogleIdentity } from '../identity/google-identity.ts'
import { type ErrorCode, type ErrorDetails, MetadatadError } from '../lib/errors.ts'
import type { GoogleFailure } from './google-failure.ts'

/** What STS was asked, for the words of its refusal. */
export interface StsContext {
  /** The provider or identity namespace, as STS was asked for it. */
  readonly audience: string
  /** The audience of the service-account token. */
  readonly subjectAudience: string
}

/** What IAM Credentials was asked, for the words of its refusal. */
export interface IamContext {
  readonly identity: GoogleIdentity
  readonly method: 'generateAccessToken' | 'generateIdToken'
}

const PERMISSION = {
  generateAccessToken: 'iam.serviceAccounts.getAccessToken',
  generateIdToken: 'iam.serviceAccounts.getOpenIdToken',
} as const
const TOKEN = { generateAccessToken: 'access token', generateIdToken: 'identity token' } as const

/**
 * What a refusal of Google STS means. OAuth codes of RFC 6749 section 5.2 and RFC 8693 section 2.2.2, in the meanings that
 * https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation gives them.
 */
export function stsError(failure: GoogleFailure, context: StsContext): MetadatadError {
  const transient = transientError('google sts', 'Google STS', failure)
  if (transient) return transient
  const misconfigured = (publicMessage: string) =>
    coded('EXCHANGE_MISCONFIGURED', 'google sts refused the exchange', failure, {
      fault: 'policy',
      publicMessage,
    })

  switch (failure.code) {
    case 'invalid_grant':
      // STS has one code for all that can be wrong with a token; what differs is who can mend it.
      if (/^error connecting/i.test(failure.description)) {
        return coded('EXCHANGE_UNAVAILABLE', 'google sts could not reach the issuer', failure, {
          fault: 'upstream',
          retryable: true,
          publicMessage:
            "Google STS could not fetch the keys of this cluster's token issuer. Check that the issuer is reachable from the internet, or upload its JWKS to the provider.",
        })
      }
      if (/^(?!the (?:audience|issuer) ).*(?:is stale|expired|signature|verif)/i.test(failure.description)) {
        return coded(
          'EXCHANGE_SUBJECT_EXPIRED',
          'google sts no longer accepts the service account token',
          failure,
          {
            fault: 'upstream',
            retryable: true,
            publicMessage:
              "Google STS no longer accepts this pod's service-account token. Check the node's clock and that the provider has the cluster's current signing keys.",
          },
        )
      }
      return misconfigured(
        `Google STS does not accept this pod's service-account token (invalid_grant). Check that the provider ${context.audience} has this cluster's issuer, allows the audience ${context.subjectAudience} and maps google.subject to at most 127 bytes.`,
      )
    case 'invalid_target':
      return misconfigured(
        `Google STS does not know ${context.audience}, or it is disabled or deleted (invalid_target). Check the workload identity provider in the metadata daemon's configuration.`,
      )
    case 'unauthorized_client':
      return misconfigured(
        `The attribute condition of the provider ${context.audience} rejects this pod's ServiceAccount (unauthorized_client). Change the condition, or run the pod as a ServiceAccount that it admits.`,
      )
    case 'invalid_scope':
      return coded('REQUEST_INVALID', 'google sts refused the scopes', failure, {
        fault: 'caller',
        publicMessage:
          'Google STS does not know one of the scopes asked for (invalid_scope). Ask for OAuth scopes of Google APIs.',
      })
    case 'invalid_request':
      return misconfigured(
        `Google STS refused the exchange (invalid_request). Check the attribute mapping of the provider ${context.audience}: google.subject may have at most 127 bytes.`,
      )
    default:
      if (failure.reason === 'SERVICE_DISABLED') {
        return misconfigured(
          `Google STS refused the exchange; ${disabled('Security Token Service', 'sts.googleapis.com')} of the workload identity pool.`,
        )
      }
      return misconfigured(
        `Google STS refused the exchange (${failure.code}). Ask the cluster's administrator: the log of the metadata daemon has Google's own words.`,
      )
  }
}

/**
 * What a refusal of IAM Credentials means (google.rpc.Code names as statuses,
 * https://cloud.google.com/iam/docs/reference/credentials/rest). The words for a missing permission are those of GKE's
 * metadata server, which people search for, and then what mends it.
 */
export function iamError(failure: GoogleFailure, context: IamContext): MetadatadError {
  const { identity, method } = context
  const transient = transientError('iam credentials', 'Google IAM', failure)
  if (transient) return transient
  const refused = (publicMessage: string) =>
    coded('EXCHANGE_REFUSED', 'iam credentials refused the service account', failure, {
      fault: 'policy',
      publicMessage,
    })
  const unable = `Unable to generate ${TOKEN[method]}`
  const email = identity.serviceAccountEmail ?? identity.email

  if (failure.status === 401) {
    return coded(
      'EXCHANGE_SUBJECT_EXPIRED',
      'iam credentials no longer accepts the federated token',
      failure,
      {
        fault: 'upstream',
        retryable: true,
        publicMessage: `${unable}; IAM does not accept the federated token it is asked with. Try again.`,
      },
    )
  }
  if (failure.code === 'NOT_FOUND') {
    return refused(
      `${unable}; IAM returned 404 Not Found: the service account ${email} does not exist. Create it, or correct the annotation iam.gke.io/gcp-service-account.`,
    )
  }
  if (failure.status === 400 && (failure.code === 'INVALID_ARGUMENT' || failure.code === '400')) {
    const what = method === 'generateIdToken' ? 'audience' : 'scopes'
    return coded('REQUEST_INVALID', 'iam credentials refused the request', failure, {
      fault: 'caller',
      publicMessage: `${unable}; IAM returned 400 Bad Request. Check the ${what} asked for.`,
    })
  }
  switch (failure.reason ?? failure.code) {
    case 'SERVICE_DISABLED':
      return refused(
        `${unable}; ${disabled('IAM Service Account Credentials', 'iamcredentials.googleapis.com')} that pays for the call.`,
      )
    case 'USER_PROJECT_DENIED':
      return refused(
        `${unable}; the caller may not use the quota project ${identity.quotaProject ?? 'of the workload identity pool'}. Grant roles/serviceusage.serviceUsageConsumer on it to ${identity.member}.`,
      )
    case 'PERMISSION_DENIED':
    case 'IAM_PERMISSION_DENIED':
      return refused(
        `${unable}; IAM returned 403 Forbidden: Permission '${PERMISSION[method]}' denied on resource (or it may not exist).\n` +
          'This error could be caused by a missing IAM policy binding on the target IAM service account.\n' +
          `Grant roles/iam.workloadIdentityUser on ${email} to ${identity.member}.`,
      )
    default:
      return refused(
        `${unable}; IAM returned ${failure.status} (${failure.reason ?? failure.code}) for ${email}. The log of the metadata daemon has IAM's own words.`,
      )
  }
}

function transientError(name: string, service: string, failure: GoogleFailure): MetadatadError | undefined {
  if (failure.status === 429 || failure.code === 'RESOURCE_EXHAUSTED') {
    return coded('EXCHANGE_THROTTLED', `${name} is over its quota`, failure, {
      fault: 'upstream',
      retryable: true,
      publicMessage: `${service} is over its quota (${failure.code}). Try again later, or ask for a higher quota.`,
    })
  }
  const known = [
    'UNAVAILABLE',
    'ABORTED',
    'CANCELLED',
    'temporarily_unavailable',
    'server_error',
    'internal_failure',
  ]
  if (failure.status >= 500 || failure.status === 408 || known.includes(failure.code)) {
    return coded('EXCHANGE_UNAVAILABLE', `${name} is unavailable`, failure, {
      fault: 'upstream',
      retryable: true,
      publicMessage: `${service} is unavailable at the moment (${failure.code}). Try again.`,
    })
  }
  // In neither of Google's forms: a proxy, a login page. It is no reason to throw a good credential away.
  const isGoogles = failure.code !== String(failure.status) || failure.reason !== undefined
  if (!isGoogles && failure.status !== 401) {
    return coded('EXCHANGE_MALFORMED', `answer is not of ${name}`, failure, {
      fault: 'upstream',
      retryable: true,
      publicMessage: `Something else than ${service} answered ${failure.status} at its address. Check google.endpoints, and the proxies and firewalls on the way there. Try again.`,
    })
  }
  return undefined
}

function disabled(api: string, service: string): string {
  return `the ${api} API is disabled. Enable ${service} in the project`
}

function coded(
  code: ErrorCode,
  message: string,
  failure: GoogleFailure,
  details: Pick<ErrorDetails, 'fault' | 'publicMessage'> & { retryable?: boolean },
): MetadatadError {
  return new MetadatadError(
    code,
    failure.description === '' ? message : `${message}: ${failure.description}`,
    {
      retryable: false,
      ...details,
      providerCode: failure.reason ?? failure.code,
      ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
    },
  )
}
