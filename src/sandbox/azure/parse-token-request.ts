import { EntraError } from './entra-error.ts'

/** A well-formed request of the client credentials grant with a client assertion. */
export interface TokenRequest {
  readonly clientId: string
  readonly assertion: string
  /** The resource that the scope names: an application ID URI, exactly as asked for, or a GUID. */
  readonly resource: string
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SUFFIX = '/.default'
const RESOURCE =
  /^(?:[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/][^\s]{0,1000}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i

/**
 * Reads the form of `POST /TENANT/oauth2/v2.0/token` (Microsoft identity platform, client credentials flow, "access token
 * request with a federated credential"). Parameters that Entra does not know are ignored; a repeated one is refused.
 *
 * @param body undefined or not a form's: every parameter is missing
 * @throws EntraError
 */
export function parseTokenRequest(body: URLSearchParams): TokenRequest {
  for (const name of new Set(body.keys())) {
    if (body.getAll(name).length > 1) {
      const parameter = name.slice(0, 100)
      throw new EntraError(
        9000411,
        `The request is not properly formatted. The parameter '${parameter}' is duplicated.`,
      )
    }
  }
  const required = (name: string) => {
    const value = body.get(name)
    if (value) return value
    throw new EntraError(900144, `The request body must contain the following parameter: '${name}'.`)
  }
  const grantType = required('grant_type')
  if (grantType !== 'client_credentials') {
    throw new EntraError(70003, `The app requested an unsupported grant type '${grantType.slice(0, 100)}'.`)
  }
  const clientId = required('client_id')
  const resource = resourceOf(required('scope'))
  const assertion = body.get('client_assertion')
  if (!assertion) throw new EntraError(7000216)
  if (required('client_assertion_type') !== ASSERTION_TYPE) {
    throw new EntraError(90014, `The parameter 'client_assertion_type' must be '${ASSERTION_TYPE}'.`)
  }
  return { clientId, assertion, resource }
}

/** Everything before the last slash, so that a resource with a trailing slash keeps it: `https://x//.default`. */
function resourceOf(scope: string): string {
  const shown = scope.slice(0, 200)
  if (/\s/.test(scope)) {
    throw new EntraError(
      70011,
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${shown} is not valid.`,
    )
  }
  const resource = scope.slice(0, -SUFFIX.length)
  if (!scope.endsWith(SUFFIX) || !RESOURCE.test(resource)) {
    throw new EntraError(
      1002012,
      `The provided value for scope ${shown} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
    )
  }
  return resource
}
