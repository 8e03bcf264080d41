import { FEDERATION_ADVICE } from './federation-advice.ts'

const TENANT =
  'This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.'

/**
 * AADSTS codes that the fake gives: status, OAuth error, and the description when a scenario asks for one (Microsoft Entra
 * authentication and authorization error codes).
 */
const ERRORS = {
  50001: [400, 'invalid_resource', `The resource principal was not found in the tenant. ${TENANT}`],
  50027: [400, 'invalid_request', 'JWT token is invalid or malformed.'],
  50166: [400, 'invalid_request', 'Request to External OIDC endpoint failed.'],
  70003: [400, 'unsupported_grant_type', "The app requested an unsupported grant type ''."],
  70011: [400, 'invalid_scope', "The provided value for the input parameter 'scope' is not valid."],
  70021: [
    401,
    'invalid_client',
    `No matching federated identity record found for presented assertion. ${FEDERATION_ADVICE}`,
  ],
  70025: [401, 'invalid_client', 'The client has no configured federated identity credentials.'],
  90002: [400, 'invalid_request', 'Tenant not found.'],
  90006: [500, 'temporarily_unavailable', 'The service is temporarily unavailable. Please retry later.'],
  90012: [504, 'temporarily_unavailable', 'The request has timed out.'],
  90014: [400, 'invalid_request', 'The required field is missing from the credential.'],
  90024: [503, 'temporarily_unavailable', 'The request budget was exceeded: a transient error.'],
  90033: [503, 'temporarily_unavailable', 'A transient error has occurred. Please try again.'],
  90036: [
    400,
    'invalid_request',
    'An unexpected, non-retryable error stemming from the directory service has occurred.',
  ],
  90055: [429, 'temporarily_unavailable', 'There are too many incoming requests: the tenant is throttled.'],
  90061: [503, 'temporarily_unavailable', 'Request to External OIDC endpoint failed.'],
  500011: [400, 'invalid_resource', `The resource principal was not found in the tenant. ${TENANT}`],
  501661: [400, 'invalid_request', 'Request to External OIDC endpoint failed.'],
  700016: [400, 'unauthorized_client', `Application was not found in the directory. ${TENANT}`],
  700024: [401, 'invalid_client', 'Client assertion is not within its valid time range.'],
  700027: [401, 'invalid_client', 'Client assertion failed signature validation.'],
  700211: [
    401,
    'invalid_client',
    `No matching federated identity record found for presented assertion issuer. ${FEDERATION_ADVICE}`,
  ],
  700212: [
    401,
    'invalid_client',
    `No matching federated identity record found for presented assertion audience. ${FEDERATION_ADVICE}`,
  ],
  700213: [
    401,
    'invalid_client',
    `No matching federated identity record found for presented assertion subject. ${FEDERATION_ADVICE}`,
  ],
  900023: [
    400,
    'invalid_request',
    'Specified tenant identifier is neither a valid DNS name, nor a valid external domain.',
  ],
  900144: [400, 'invalid_request', 'The request body must contain the following parameter.'],
  1002012: [400, 'invalid_scope', 'The provided value for scope is not valid.'],
  7000216: [
    401,
    'invalid_client',
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  ],
  7000272: [
    401,
    'invalid_client',
    'The certificate used to sign the federated credential could not be found in the metadata of identity provider.',
  ],
  7002121: [
    401,
    'invalid_client',
    `No matching federated identity record found for presented assertion audience. ${FEDERATION_ADVICE}`,
  ],
  7002138: [
    401,
    'invalid_client',
    `No matching federated identity record found for presented assertion subject. ${FEDERATION_ADVICE}`,
  ],
  7002206: [401, 'invalid_client', 'The audience of the presented assertion belongs to another cloud.'],
  9000411: [400, 'invalid_request', 'The request is not properly formatted. A parameter is duplicated.'],
} as const satisfies Record<number, readonly [status: number, error: string, description: string]>

/** The number of an AADSTS error. */
export type EntraErrorCode = keyof typeof ERRORS

/** A request that Entra refuses: thrown anywhere below the handler, answered by it. */
export class EntraError extends Error {
  readonly code: EntraErrorCode
  readonly status: number
  /** RFC 6749 section 5.2, or Entra's own. */
  readonly error: string

  /** @param description the code's usual one, without names, if absent */
  constructor(code: EntraErrorCode, description: string = ERRORS[code][2]) {
    super(description)
    this.name = 'EntraError'
    this.code = code
    this.status = ERRORS[code][0]
    this.error = ERRORS[code][1]
  }
}
