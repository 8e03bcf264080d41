/** An answer of the API server that is no success. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number
  /** `reason` of the meta/v1 Status, or an empty text. */
  readonly reason: string

  constructor(call: string, status: number, body: unknown) {
    const said = body as { message?: string; reason?: string } | undefined
    super(`${call}: ${status} ${said?.message ?? JSON.stringify(body)}`)
    this.status = status
    this.reason = said?.reason ?? ''
  }
}
