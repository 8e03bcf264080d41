import { type ErrorCode, type ErrorDetails, MetadatadError } from '../lib/errors.ts'
import type { AzureFailure } from './azure-failure.ts'

/** What Entra was asked, for the words of its refusal. */
export interface EntraContext {
  readonly tenantId: string
  readonly clientId: string
  readonly scope: string
  /** `system:serviceaccount:NAMESPACE:NAME` */
  readonly subject: string
  readonly audience: string
  /** Of the service-account token, if it says. */
  readonly issuer: string | undefined
}

/** Overload, time-outs and storage of Entra; the last three: it could not use the issuer's keys, which pass when they are fetched again. */
const UNAVAILABLE: ReadonlySet<number> = new Set([90006, 90012, 90024, 90033, 90061, 50166, 7000272])
/** Of the authorization endpoint by RFC 6749 (section 4.1.2.1); token endpoints say it too. */
const PASSING: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error'])
const THROTTLED: ReadonlySet<number> = new Set([90055])
/** No such application, or no federated credential on it that agrees: also what Entra says for minutes after either was made. */
const PROPAGATION: ReadonlySet<number> = new Set([70021, 700016, 700211, 700212, 700213])
/** Longer than an exchange waits between its attempts: a pod whose credential was never made has to be told so, not to be patient. */
const PROPAGATION_RETRY_MS = 5_000
/** The assertion is not within its time of validity. */
const EXPIRED = 700024
const NO_TENANT: ReadonlySet<number> = new Set([90002, 900021, 900023])
const BAD_RESOURCE: ReadonlySet<number> = new Set([50001, 500011, 70011, 1002012])
/** The federated credential does not agree: audience, subject but for upper and lower case, audience of another cloud. */
const NO_MATCH: ReadonlySet<number> = new Set([...PROPAGATION, 7002121, 7002137, 7002138, 7002206])

/**
 * What a refusal of Entra means, by its AADSTS code
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes). Refusals of the federation say what federated
 * credential would let the pod in: Entra compares issuer, subject and audience letter by letter.
 *
 * @param settling asked whether what Entra does not find, application or federated credential, may be too new for it
 */
export function entraError(
  failure: AzureFailure,
  context: EntraContext,
  settling: () => boolean,
): MetadatadError {
  const { status, error, aadsts = 0 } = failure
  const { tenantId, clientId, subject, audience, scope } = context
  const shown = aadsts === 0 ? error : `AADSTS${aadsts}`
  const credential = `issuer ${context.issuer ?? "of this cluster's service-account tokens"}, subject ${subject} and audience ${audience}`
  const passing = (
    code: ErrorCode,
    message: string,
    publicMessage: string,
    more: { fault?: 'policy'; retryAfterMs?: number } = {},
  ) => coded(code, message, failure, { fault: 'upstream', retryable: true, publicMessage, ...more })
  const refused = (code: ErrorCode, publicMessage: string) =>
    coded(code, 'entra refused the token', failure, { fault: 'policy', publicMessage })

  if (THROTTLED.has(aadsts) || status === 429) {
    return passing(
      'EXCHANGE_THROTTLED',
      'entra throttles',
      `Microsoft Entra gets too many requests (${shown}). Try again later.`,
    )
  }
  if (UNAVAILABLE.has(aadsts) || PASSING.has(error) || status >= 500 || status === 408) {
    return passing(
      'EXCHANGE_UNAVAILABLE',
      'entra is unavailable',
      `Microsoft Entra can't give a token at the moment (${shown}). If this lasts, check that the ${credential} are right and that the issuer's keys are reachable from the internet.`,
    )
  }
  // Whoever it is, it has not decided about the application: a token that is there is still good.
  if (shown === String(status)) {
    return passing(
      'EXCHANGE_MALFORMED',
      'answer is not of entra',
      `Something else than Microsoft Entra answered ${status} at its address. Check azure.endpoints.authority, and the proxies and firewalls on the way there. Try again.`,
    )
  }
  if (aadsts === EXPIRED) {
    return passing(
      'EXCHANGE_SUBJECT_EXPIRED',
      'entra calls the service account token expired or not yet valid',
      "Microsoft Entra calls this pod's service-account token expired or not yet valid (AADSTS700024). Check the node's clock.",
    )
  }
  if (PROPAGATION.has(aadsts) && settling()) {
    // Nearly always it was never made: that is for its owner to read at once.
    return passing(
      'EXCHANGE_UNAVAILABLE',
      'entra does not know the application or its federated credential yet',
      `Microsoft Entra does not know application ${clientId} in tenant ${tenantId}, or no federated credential of it with ${credential} (${shown}). If they were made a moment ago, try again; else make them.`,
      { fault: 'policy', retryAfterMs: Math.max(PROPAGATION_RETRY_MS, failure.retryAfterMs ?? 0) },
    )
  }
  if (aadsts === 700016) {
    return refused(
      'EXCHANGE_MISCONFIGURED',
      `Application ${clientId} is not in tenant ${tenantId} (${shown}). Correct client or tenant ID, or make the application and give it a federated credential with ${credential}.`,
    )
  }
  if (NO_MATCH.has(aadsts)) {
    return refused(
      'EXCHANGE_MISCONFIGURED',
      `No federated credential of application ${clientId} in tenant ${tenantId} matches this pod (${shown}). Add one with ${credential}, letter by letter.`,
    )
  }
  if (NO_TENANT.has(aadsts)) {
    return refused(
      'EXCHANGE_MISCONFIGURED',
      `Microsoft Entra does not know tenant ${tenantId} (${shown}). Correct the annotation azure.workload.identity/tenant-id or azure.tenantId, or check azure.cloud.`,
    )
  }
  if (BAD_RESOURCE.has(aadsts) || error === 'invalid_scope' || error === 'invalid_resource') {
    return coded('REQUEST_INVALID', 'entra refused the resource', failure, {
      fault: 'caller',
      publicMessage: `Microsoft Entra does not know the resource asked for, or not in tenant ${tenantId} (${shown}; scope ${scope}). Check the resource.`,
    })
  }
  return refused(
    'EXCHANGE_REFUSED',
    `Microsoft Entra refused a token to application ${clientId} in tenant ${tenantId} (${shown}). Check the application, and that it has a federated credential with ${credential}; the log of the metadata daemon has Entra's own words.`,
  )
}

function coded(
  code: ErrorCode,
  message: string,
  { aadsts, error, description, retryAfterMs }: AzureFailure,
  details: Pick<ErrorDetails, 'fault' | 'publicMessage'> & { retryable?: boolean; retryAfterMs?: number },
): MetadatadError {
  return new MetadatadError(code, description === '' ? message : `${message}: ${description}`, {
    retryable: false,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...details,
    providerCode: aadsts === undefined ? error : `AADSTS${aadsts}`,
  })
}
