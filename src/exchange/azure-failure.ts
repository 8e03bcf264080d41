import type { CloudAnswer } from './cloud-request.ts'
import { parseObject } from './parse-object.ts'
import { providerWords } from './provider-words.ts'

/** What a refusing answer of Entra says, reduced to what is safe to keep. */
export interface AzureFailure {
  readonly status: number
  /** OAuth `error` (`invalid_client`), else the HTTP status. */
  readonly error: string
  /** The number behind `AADSTS`; undefined if there is none. */
  readonly aadsts: number | undefined
  /** Entra's own words for the operator: printable, bounded, nothing in them that could be a token. */
  readonly description: string
  readonly retryAfterMs: number | undefined
}

/** Codes are small identifiers; anything longer or stranger is not one. */
const ERROR = /^[A-Za-z][A-Za-z0-9_]{0,63}$/
const MAX_AADSTS = 999_999_999

/**
 * Reads an answer that is no success
 * (https://learn.microsoft.com/entra/identity-platform/reference-error-codes#handling-error-codes-in-your-application).
 * Never throws; an answer in no known form is known by its HTTP status.
 */
export function parseAzureFailure(
  answer: Pick<CloudAnswer, 'status' | 'text' | 'retryAfterMs'>,
): AzureFailure {
  const { status, retryAfterMs } = answer
  const { error, error_codes: codes, error_description: words } = parseObject(answer.text) ?? {}
  const first: unknown = Array.isArray(codes) ? codes[0] : undefined
  return {
    status,
    error: typeof error === 'string' && ERROR.test(error) ? error : String(status),
    aadsts: isCode(first) ? first : codeIn(words),
    description: providerWords(words),
    retryAfterMs,
  }
}

function isCode(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_AADSTS
}

function codeIn(words: unknown): number | undefined {
  const match = typeof words === 'string' ? /\bAADSTS(\d{4,9})\b/.exec(words.slice(0, 1_024)) : null
  return match === null ? undefined : Number(match[1])
}
