import { awsValue, parseAwsBody } from './aws-body.ts'
import type { CloudAnswer } from './cloud-request.ts'
import { providerWords } from './provider-words.ts'

/** What a refusing answer of AWS STS says, reduced to what is safe to keep. */
export interface AwsFailure {
  readonly status: number
  /** The error's code without its ending `Exception`, which STS is not constant in (`AccessDenied`), else the HTTP status. */
  readonly code: string
  /** AWS's own words for the operator: printable, bounded, nothing in them that could be a token. */
  readonly description: string
  readonly retryAfterMs: number | undefined
}

/** Codes are small identifiers; anything longer or stranger is not one. */
const CODE = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/

/**
 * Reads an answer that is no success: `ErrorResponse` with `Error` of `Code` and `Message` in XML, `Error` alone in JSON
 * (https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html). Never throws; an answer in neither form is
 * known by its HTTP status.
 */
export function parseAwsFailure(answer: Pick<CloudAnswer, 'status' | 'text' | 'retryAfterMs'>): AwsFailure {
  const { status, retryAfterMs } = answer
  const body = parseAwsBody(answer.text)
  const field = (name: string) =>
    awsValue(body, 'ErrorResponse', 'Error', name) ?? awsValue(body, 'Error', name)
  const code = field('Code')
  return {
    status,
    code: typeof code === 'string' && CODE.test(code) ? code.replace(/(?<=.)Exception$/, '') : String(status),
    description: providerWords(field('Message')),
    retryAfterMs,
  }
}
