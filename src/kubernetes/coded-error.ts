import { MetadatadError } from '../lib/errors.ts'
import type { KubernetesRequest } from './client.ts'
import { kubernetesError } from './status-error.ts'

/** Whatever was thrown on the way to the API server and back, as one of the codes that a client's failures have. */
export function codedError(thrown: unknown, request: KubernetesRequest): MetadatadError {
  if (thrown instanceof MetadatadError) return thrown
  if (request.signal.aborted) {
    return kubernetesError('KUBERNETES_UNAVAILABLE', request, 'no answer in time', {
      cause: request.signal.reason,
    })
  }
  // The error of a connection tried at several addresses has a code and an empty message.
  const { message, code } = thrown as { message?: unknown; code?: unknown }
  const reason = String(message || code || 'the connection failed').slice(0, 512)
  return kubernetesError('KUBERNETES_UNAVAILABLE', request, reason, { cause: thrown })
}
