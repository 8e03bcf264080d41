import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import { asError } from '../lib/as-error.ts'
import type { ErrorCode, MetadatadError } from '../lib/errors.ts'

/**
 * A cloud's resolver that also reports why a pod has no usable identity.
 *
 * @param report told of every refusal but those of the code `unless`. Must not throw.
 * @returns throws what `resolve` throws
 */
export function reportingResolver<Identity>(
  resolve: (pod: Pod, serviceAccount: ServiceAccount) => Identity,
  report: (pod: Pod, error: MetadatadError) => void,
  unless?: ErrorCode,
): (pod: Pod, serviceAccount: ServiceAccount) => Identity {
  return (pod, serviceAccount) => {
    try {
      return resolve(pod, serviceAccount)
    } catch (thrown) {
      const error = asError(thrown)
      if (error.code !== unless) report(pod, error)
      throw thrown
    }
  }
}
