import type { ServiceCall } from '../service.ts'
import { applyJsonPatch, JsonPatchError } from './json-patch.ts'
import { StatusError } from './status-error.ts'

const JSON_PATCH = 'application/json-patch+json'

/**
 * What a call's JSON patch makes of an object, which stays as it is.
 *
 * @throws StatusError 415 for another kind of patch; 400 for what is no patch; 422 if an operation fails, a `test` among them
 */
export function patchedBy(
  { request, body }: Pick<ServiceCall, 'request' | 'body'>,
  object: unknown,
): unknown {
  const type = request.headers['content-type']?.split(';', 1)[0]
  if (type !== JSON_PATCH) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${JSON_PATCH}`
    throw new StatusError(415, 'UnsupportedMediaType', message)
  }
  try {
    return applyJsonPatch(object, body)
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error
    if (error.malformed) throw StatusError.badRequest(error.message)
    // The real server says no more than this.
    const message = 'the server rejected our request due to an error in our request'
    throw new StatusError(422, 'Invalid', message, {})
  }
}
