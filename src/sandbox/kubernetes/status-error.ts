/** `details` of a meta/v1 Status. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly retryAfterSeconds?: number
  readonly causes?: readonly { readonly reason?: string; readonly message: string; readonly field?: string }[]
}

/** A refusal, shown to the client as a meta/v1 Status object with code, reason and message as the API server gives them. */
export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'StatusError'
    this.code = code
    this.reason = reason
    this.details = details
  }

  /** The Status object. */
  get status() {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details && { details: this.details }),
      code: this.code,
    }
  }

  static badRequest(message: string): StatusError {
    return new StatusError(400, 'BadRequest', message)
  }

  /** `kind` is the resource (`pods`), as in the real server's messages. */
  static notFound(kind: string, name: string): StatusError {
    return new StatusError(404, 'NotFound', `${kind} "${name}" not found`, { name, kind })
  }

  static expired(message: string): StatusError {
    return new StatusError(410, 'Expired', message)
  }

  /** One invalid field of an object that was sent. `kind` is `Kind.group`. */
  static invalid(
    kind: string,
    name: string,
    field: string,
    message: string,
    reason = 'FieldValueInvalid',
  ): StatusError {
    const [bare = kind, ...group] = kind.split('.')
    return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${field}: ${message}`, {
      ...(name !== '' && { name }),
      ...(group.length > 0 && { group: group.join('.') }),
      kind: bare,
      causes: [{ reason, message, field }],
    })
  }
}
