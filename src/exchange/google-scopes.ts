import { MetadatadError } from '../lib/errors.ts'

/** The one scope that opens every API, so that IAM alone decides; asked of STS for a token that only IAM will see. */
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'

/** What GKE's metadata server lists as a service account's scopes. */
export const DEFAULT_SCOPES: readonly string[] = [
  CLOUD_PLATFORM,
  'https://www.googleapis.com/auth/userinfo.email',
]

const MAX_SCOPES = 32
/** A scope-token of RFC 6749 section 3.3, bounded. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/

/**
 * The one spelling of a set of scopes: sorted, each once; no scope at all means `defaults`.
 *
 * @throws MetadatadError `REQUEST_INVALID` for more than 32 scopes, or one that is none by its spelling
 */
export function canonicalScopes(scopes: readonly string[], defaults: readonly string[]): readonly string[] {
  const wanted = [...new Set(scopes.length === 0 ? defaults : scopes)].sort()
  if (wanted.length <= MAX_SCOPES && wanted.every((scope) => SCOPE.test(scope))) return wanted
  throw new MetadatadError('REQUEST_INVALID', 'scopes are malformed', {
    fault: 'caller',
    retryable: false,
    publicMessage: `The scopes asked for are malformed. Ask for at most ${MAX_SCOPES} OAuth scopes such as ${CLOUD_PLATFORM}.`,
  })
}
