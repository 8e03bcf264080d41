import { isObject } from './is-object.ts'
import { parseObject } from './parse-object.ts'
import { providerWords } from './provider-words.ts'

/** What a refusing answer of Google says, reduced to what is safe to keep. */
export interface GoogleFailure {
  readonly status: number
  /** OAuth `error` (`invalid_grant`) or Google API `error.status` (`PERMISSION_DENIED`), else the HTTP status. */
  readonly code: string
  /** `reason` of the google.rpc.ErrorInfo among the details (`SERVICE_DISABLED`). */
  readonly reason: string | undefined
  /** Google's own words for the operator: printable, bounded, nothing in it that could be a token. */
  readonly description: string
  readonly retryAfterMs: number | undefined
}

/** Codes are small identifiers; anything longer or stranger is not one, and must not become a metric's label. */
const CODE = /^[A-Za-z][A-Za-z0-9_]{0,63}$/

/**
 * Reads an answer that is no success, in either form Google uses: the OAuth form of STS (RFC 6749 section 5.2:
 * `error`, `error_description`) or the form of all other APIs (https://google.aip.dev/193: `error.status`, `error.message`,
 * `error.details`). Never throws; an answer in neither form is known by its HTTP status.
 */
export function parseGoogleFailure(answer: {
  readonly status: number
  readonly text: string
  readonly retryAfterMs: number | undefined
}): GoogleFailure {
  const { status, retryAfterMs } = answer
  const body = parseObject(answer.text)
  const error = body?.error
  const details = isObject(error) ? error : undefined
  const code = details ? details.status : error
  const description = details ? details.message : body?.error_description
  return {
    status,
    code: typeof code === 'string' && CODE.test(code) ? code : String(status),
    reason: reasonOf(details?.details),
    description: providerWords(description),
    retryAfterMs,
  }
}

function reasonOf(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined
  for (const detail of details) {
    if (isObject(detail) && typeof detail.reason === 'string' && CODE.test(detail.reason))
      return detail.reason
  }
  return undefined
}
