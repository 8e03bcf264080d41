import { Secret } from '../lib/secret.ts'
import { apiPath } from './api-path.ts'
import type { KubernetesClient } from './client.ts'
import { fields, text, time } from './json-fields.ts'
import { kubernetesError } from './status-error.ts'

/** What token is wanted (authentication.k8s.io/v1 TokenRequestSpec). */
export interface TokenRequest {
  readonly namespace: string
  readonly serviceAccount: string
  readonly audience: string
  /** At least 600; the API server may give more or less. */
  readonly expirationSeconds: number
  /** The token dies with this very pod; the API server answers 409 if the name has another UID by now. */
  readonly pod: { readonly name: string; readonly uid: string }
}

/**
 * Has the API server sign a ServiceAccount's token, bound to a pod.
 *
 * @returns the token and its end, in milliseconds since the epoch
 * @throws MetadatadError `KUBERNETES_*`
 */
export async function createToken(
  client: KubernetesClient,
  request: TokenRequest,
  signal: AbortSignal,
): Promise<{ token: Secret; expiresAt: number }> {
  const { namespace, serviceAccount, audience, expirationSeconds, pod } = request
  const call = { verb: 'create', resource: 'serviceaccounts/token' } as const
  const answer = await client.request({
    ...call,
    path: apiPath(namespace, 'serviceaccounts', serviceAccount, 'token'),
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
      },
    },
    signal,
  })
  const status = fields(fields(answer).status)
  const token = text(status.token)
  const expiresAt = time(status.expirationTimestamp)
  if (token === undefined || expiresAt === undefined) {
    throw kubernetesError('KUBERNETES_INVALID', call, 'the answer holds no token', { retryable: true })
  }
  return { token: new Secret(token), expiresAt }
}
