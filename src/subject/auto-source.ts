import type { Log } from '../lib/log.ts'
import type { SubjectTokens } from './subject-tokens.ts'

/** The two ways to a token. */
export interface AutoSourceOptions {
  readonly projected: SubjectTokens
  readonly tokenRequest: SubjectTokens
  readonly log: Log
}

/**
 * The token that the pod mounts for the wanted audience, where it does and it can be used; else one from the API server.
 */
export function autoSource(options: AutoSourceOptions): SubjectTokens {
  const { projected, tokenRequest, log } = options
  return {
    async get(request, signal) {
      const { pod, audience, renew } = request
      if (!renew && pod.projectedTokens.some((token) => token.audience === audience)) {
        try {
          return await projected.get(request, signal)
        } catch (err) {
          log.debug(
            { err, namespace: pod.namespace, pod: pod.name },
            'projected token not usable, requesting one',
          )
        }
      }
      return tokenRequest.get(request, signal)
    },
  }
}
