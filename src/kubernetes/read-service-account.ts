import { MetadatadError } from '../lib/errors.ts'
import { apiPath } from './api-path.ts'
import type { KubernetesClient } from './client.ts'
import { decodeServiceAccount } from './decode-service-account.ts'
import { METADATA_ONLY } from './metadata-only.ts'
import { kubernetesError } from './status-error.ts'
import type { ServiceAccount } from './types.ts'

/**
 * Reads one ServiceAccount's metadata as it is now.
 *
 * @returns undefined if there is none
 * @throws MetadatadError `KUBERNETES_*`
 */
export async function readServiceAccount(
  client: KubernetesClient,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ServiceAccount | undefined> {
  const call = { verb: 'get', resource: 'serviceaccounts' } as const
  let answer: unknown
  try {
    const path = apiPath(namespace, 'serviceaccounts', name)
    answer = await client.request({ ...call, path, accept: METADATA_ONLY, signal })
  } catch (error) {
    if (error instanceof MetadatadError && error.code === 'KUBERNETES_NOT_FOUND') return undefined
    throw error
  }
  const serviceAccount = decodeServiceAccount(answer)
  if (serviceAccount?.namespace !== namespace || serviceAccount.name !== name) {
    throw kubernetesError('KUBERNETES_INVALID', call, 'the answer is another object', { retryable: true })
  }
  return serviceAccount
}
