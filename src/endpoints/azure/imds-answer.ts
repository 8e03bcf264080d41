import { type Answer, answer } from '../answer.ts'

/** Which part of the Azure endpoint an answer comes from; label of `metadatad_answers_total`. */
export type AzureRoute = 'token' | 'info' | 'versions' | 'instance' | 'passthrough' | 'none'

/** What SDKs read to tell errors apart (the service's Swagger, and RFC 6749 section 5.2). */
export type ImdsErrorCode =
  | 'invalid_request'
  | 'unauthorized_client'
  | 'access_denied'
  | 'not_found'
  | 'method_not_allowed'
  | 'service_unavailable'

const SERVER = ['Server', 'IMDS']

/** A JSON answer. Clients parse the body whatever the status, and call anything else a broken network. */
export function imdsJson(
  route: AzureRoute,
  status: number,
  value: unknown,
  headers: readonly string[] = [],
): Answer {
  return answer(route, status, 'application/json; charset=utf-8', JSON.stringify(value), [
    ...SERVER,
    ...headers,
  ])
}

/** One leaf, or a listing, asked for with `format=text`. */
export function imdsText(text: string): Answer {
  return answer('instance', 200, 'text/plain; charset=utf-8', text, SERVER)
}

/** An error. */
export function imdsError(
  route: AzureRoute,
  status: number,
  error: ImdsErrorCode,
  description: string,
  headers: readonly string[] = [],
): Answer {
  return imdsJson(route, status, { error, error_description: description }, headers)
}
