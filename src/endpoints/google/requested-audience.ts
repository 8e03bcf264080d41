import { MetadatadError } from '../../lib/errors.ts'

const MAX_BYTES = 2048

/**
 * The `audience` of an ID-token request. Node's library does not escape it: what follows an `&` of its own is taken for
 * other parameters, as Google's server does.
 *
 * @throws MetadatadError `REQUEST_INVALID` if it is absent, empty, longer than 2 KiB or has control characters
 */
export function requestedAudience(query: URLSearchParams): string {
  const audience = query.get('audience') ?? ''
  if (audience === '') throw invalid('The parameter audience is required.')
  if (Buffer.byteLength(audience) > MAX_BYTES) throw invalid('The audience is longer than 2 KiB.')
  if (/[\x00-\x1f\x7f]/.test(audience)) throw invalid('The audience has a control character.')
  return audience
}

function invalid(publicMessage: string): MetadatadError {
  return new MetadatadError('REQUEST_INVALID', 'audience is invalid', {
    retryable: false,
    fault: 'caller',
    publicMessage,
  })
}
