import { MetadatadError } from '../../lib/errors.ts'

const MAX_SCOPES = 32
const MAX_BYTES = 4096

/** RFC 6749 section 3.3 `scope-token`, without the comma that separates scopes here. */
const SCOPE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/

/**
 * The scopes of a token request, so that whatever means the same is the same credential: `scopes` may be repeated and
 * hold several between commas; order and duplicates mean nothing; none at all, and the default ones, are `defaults`
 * itself.
 *
 * @throws MetadatadError `REQUEST_INVALID`
 */
export function canonicalScopes(query: URLSearchParams, defaults: readonly string[]): readonly string[] {
  const values = query.getAll('scopes').join(',')
  if (values.length > MAX_BYTES) throw invalid('The scopes are longer than 4 KiB.')
  const scopes = [...new Set(values.split(','))].filter((scope) => scope !== '').sort()
  if (scopes.length > MAX_SCOPES) throw invalid('More than 32 scopes.')
  if (!scopes.every((scope) => SCOPE.test(scope))) throw invalid('A scope has a character that no scope has.')
  const isDefault = scopes.length === defaults.length && defaults.every((scope) => scopes.includes(scope))
  return scopes.length === 0 || isDefault ? defaults : scopes
}

function invalid(publicMessage: string): MetadatadError {
  return new MetadatadError('REQUEST_INVALID', 'scopes are invalid', {
    retryable: false,
    fault: 'caller',
    publicMessage,
  })
}
