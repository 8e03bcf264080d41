import { isRecord } from './is-record.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'
import { StatusError } from './status-error.ts'

/**
 * Answers a TokenReview (authentication.k8s.io/v1). A token that is not valid is an answer without `authenticated`,
 * not a failure.
 *
 * @throws StatusError 400 for a body that has no token
 */
export async function reviewToken(
  tokens: ServiceAccountTokens,
  body: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const spec = isRecord(body.spec) ? body.spec : {}
  if (typeof spec.token !== 'string' || spec.token === '') {
    throw StatusError.badRequest('token is required for TokenReview in authentication')
  }
  const audiences = Array.isArray(spec.audiences)
    ? spec.audiences.filter((audience) => typeof audience === 'string')
    : []
  const reviewed = await tokens.review(spec.token, audiences)
  return {
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec,
    status: reviewed ? { authenticated: true, ...reviewed } : { user: {}, error: 'invalid bearer token' },
  }
}
