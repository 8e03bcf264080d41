/** Errors of STS that the fake gives: status, and the message when a scenario asks for one (AWS STS API reference; Query API common errors). */
const ERRORS = {
  AccessDenied: [403, 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
  ExpiredToken: [403, 'The security token included in the request is expired'],
  ExpiredTokenException: [400, 'Token expired: current date/time must be before the expiration date/time'],
  IDPCommunicationError: [400, 'The identity provider could not be reached to verify the identity token'],
  IDPRejectedClaim: [403, 'The identity provider (IdP) reported that authentication failed'],
  IncompleteSignature: [400, 'The request signature does not conform to AWS standards'],
  InternalFailure: [
    500,
    'The request processing has failed because of an unknown error, exception or failure.',
  ],
  InvalidAction: [400, 'Could not find operation'],
  InvalidClientTokenId: [403, 'The security token included in the request is invalid.'],
  InvalidIdentityToken: [
    400,
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  ],
  MalformedPolicyDocument: [400, 'The policy is not in the valid JSON format.'],
  MissingAction: [400, 'The request must contain the parameter Action.'],
  MissingAuthenticationToken: [403, 'Request is missing Authentication Token'],
  PackedPolicyTooLarge: [400, 'Packed policy consumes 101% of allotted space, please use smaller policy.'],
  RegionDisabledException: [
    403,
    'STS is not activated in this region for account. Your account administrator can activate STS in this region using the IAM Console.',
  ],
  RequestLimitExceeded: [503, 'Request limit exceeded.'],
  ServiceUnavailable: [503, 'Service Unavailable. Please try again later.'],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ],
  Throttling: [400, 'Rate exceeded'],
  ThrottlingException: [429, 'Rate exceeded'],
  ValidationError: [400, '1 validation error detected'],
} as const satisfies Record<string, readonly [status: number, message: string]>

/** An error code of AWS STS. */
export type StsErrorCode = keyof typeof ERRORS

/** A request that STS refuses: thrown anywhere below the handler, answered by it. */
export class StsError extends Error {
  readonly code: StsErrorCode
  readonly status: number
  /** Whose fault the service says it is. */
  readonly type: 'Sender' | 'Receiver'

  /** @param message the code's usual one if absent */
  constructor(code: StsErrorCode, message: string = ERRORS[code][1]) {
    super(message)
    this.name = 'StsError'
    this.code = code
    this.status = ERRORS[code][0]
    this.type = this.status < 500 ? 'Sender' : 'Receiver'
  }
}
