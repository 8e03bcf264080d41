import { MetadatadError } from '../../lib/errors.ts'

const MAX_BYTES = 4096

/**
 * The `scopes` of a token request as they were asked for: the parameter may be repeated and hold several between commas.
 * Which spellings mean the same is for the exchange to say.
 *
 * @throws MetadatadError `REQUEST_INVALID` if they are longer than 4 KiB in all
 */
export function requestedScopes(query: URLSearchParams): readonly string[] {
  const values = query.getAll('scopes').join(',')
  if (values.length <= MAX_BYTES) return values.split(',').filter((scope) => scope !== '')
  throw new MetadatadError('REQUEST_INVALID', 'scopes are too long', {
    retryable: false,
    fault: 'caller',
    publicMessage: 'The scopes asked for are longer than 4 KiB. Ask for fewer.',
  })
}
