import { type ErrorCode, MetadatadError } from '../lib/errors.ts'
import { fields, text } from './json-fields.ts'

const PUBLIC_MESSAGES = {
  KUBERNETES_UNAVAILABLE: 'The Kubernetes API server can not be reached or is overloaded. Try again.',
  KUBERNETES_FORBIDDEN:
    'The Kubernetes API server refused the metadata daemon. Ask the operator of the cluster to check its permissions.',
  KUBERNETES_NOT_FOUND: 'An object that the pod needs no longer exists in the Kubernetes API.',
  KUBERNETES_CONFLICT: 'An object that the pod needs was replaced in the Kubernetes API. Try again.',
  KUBERNETES_EXPIRED: 'The Kubernetes API server asked for the list to be read again. Try again.',
  KUBERNETES_INVALID:
    "The metadata daemon and the Kubernetes API server did not understand each other. Ask the operator of the cluster to look at the daemon's log.",
} as const satisfies Partial<Record<ErrorCode, string>>

/** The codes of failures of the Kubernetes API. */
export type KubernetesErrorCode = keyof typeof PUBLIC_MESSAGES

/** What was tried, for the message. */
export interface KubernetesCall {
  readonly verb: string
  readonly resource: string
}

/**
 * A failed call, as an error.
 *
 * @param reason what happened, for operators; at most a line
 */
export function kubernetesError(
  code: KubernetesErrorCode,
  call: KubernetesCall,
  reason: string,
  details: {
    cause?: unknown
    retryAfterMs?: number | undefined
    providerCode?: string
    retryable?: boolean
  } = {},
): MetadatadError {
  return new MetadatadError(code, `${call.verb} ${call.resource}: ${reason}`, {
    retryable: details.retryable ?? (code !== 'KUBERNETES_FORBIDDEN' && code !== 'KUBERNETES_INVALID'),
    fault: code === 'KUBERNETES_UNAVAILABLE' ? 'upstream' : 'ours',
    publicMessage: PUBLIC_MESSAGES[code],
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
    ...(details.providerCode === undefined ? {} : { providerCode: details.providerCode }),
    ...(details.cause === undefined ? {} : { cause: details.cause }),
  })
}

/**
 * An answer that is no success, as an error.
 *
 * @param httpStatus of the answer, or `code` of the Status in a watch's ERROR event
 * @param body a meta/v1 Status if it came from the API server; anything if a proxy answered
 * @param retryAfterSeconds of the `Retry-After` header
 */
export function statusError(
  call: KubernetesCall,
  httpStatus: number,
  body: unknown,
  retryAfterSeconds?: number,
): MetadatadError {
  const status = fields(body)
  const seconds = retryAfterSeconds ?? fields(status.details).retryAfterSeconds
  const reason = text(status.reason)
  const said = text(status.message) ?? reason ?? 'no reason given'
  return kubernetesError(codeOf(httpStatus, reason, said), call, `${httpStatus} ${bounded(said)}`, {
    providerCode: reason && /^[A-Za-z]{1,64}$/.test(reason) ? reason : String(httpStatus),
    retryAfterMs: typeof seconds === 'number' && seconds >= 0 && seconds <= 3600 ? seconds * 1000 : undefined,
  })
}

/**
 * What the Node authorizer says of a pod's objects before the API server knows that the pod is on the node: it learns that as
 * the daemon does, from a watch (kubernetes/plugin/pkg/auth/authorizer/node).
 */
const NOT_YET_RELATED = /\bno relationship found between node /

function codeOf(httpStatus: number, reason: string | undefined, said: string): KubernetesErrorCode {
  if (httpStatus === 410 || reason === 'Expired' || reason === 'Gone') return 'KUBERNETES_EXPIRED'
  if (httpStatus === 403 && NOT_YET_RELATED.test(said)) return 'KUBERNETES_UNAVAILABLE'
  if (httpStatus === 401 || httpStatus === 403) return 'KUBERNETES_FORBIDDEN'
  if (httpStatus === 404) return 'KUBERNETES_NOT_FOUND'
  if (httpStatus === 409) return 'KUBERNETES_CONFLICT'
  if (httpStatus === 408 || httpStatus === 429 || httpStatus >= 500) return 'KUBERNETES_UNAVAILABLE'
  return 'KUBERNETES_INVALID'
}

function bounded(message: string): string {
  return message.length > 1024 ? `${message.slice(0, 1024)}…` : message
}
