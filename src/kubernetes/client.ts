import type { Right } from './rights.ts'

/** One call of the Kubernetes API. */
export interface KubernetesRequest {
  /** The API verb. `patch` sends the body as a JSON patch (RFC 6902). */
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch'
  /** What it is done to, for metrics and error messages: `pods`, `serviceaccounts/token`. */
  readonly resource: string
  /** Absolute path, every segment already percent-encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON by POST, or PATCH; absent means GET. */
  readonly body?: unknown
  /** `Accept`; `application/json` unless said otherwise. */
  readonly accept?: string
  /** Every call has a deadline. */
  readonly signal: AbortSignal
}

/**
 * A connection to one API server. Failures are coded: `KUBERNETES_UNAVAILABLE` (transport, 429, 5xx; retryable),
 * `KUBERNETES_FORBIDDEN` (401, 403: names the verb and the resource), `KUBERNETES_NOT_FOUND`, `KUBERNETES_CONFLICT`,
 * `KUBERNETES_EXPIRED` (410) and `KUBERNETES_INVALID` (other 4xx, or an answer that is no JSON).
 */
export interface KubernetesClient {
  /** One answer, parsed as JSON. */
  request(request: KubernetesRequest): Promise<unknown>
  /** A watch: one parsed JSON value a line, until the server ends the response. Ends by throwing on a broken connection. */
  watch(request: KubernetesRequest): Promise<AsyncIterable<unknown>>
  /** The rights whose last use the API server refused. */
  missingRights(): readonly Right[]
  close(): Promise<void>
}
