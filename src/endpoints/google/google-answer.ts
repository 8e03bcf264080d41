import { createHash } from 'node:crypto'
import { type Answer, answer } from '../answer.ts'

/** Which part of the Google endpoint an answer comes from; label of `metadatad_answers_total`. */
export type GoogleRoute =
  | 'root'
  | 'token'
  | 'identity'
  | 'service-accounts'
  | 'value'
  | 'directory'
  | 'passthrough'
  | 'none'

/** An answer with the headers that Google's server puts on every one. */
export interface GoogleAnswer extends Answer {
  /** 16 hexadecimal digits of the body's hash; never `0`, which clients send for "nothing yet". */
  readonly etag: string
}

/** GKE's name, because what is shown is what GKE shows to pods: no SDK looks at it, people do. */
const COMMON = [
  'Metadata-Flavor',
  'Google',
  'Server',
  'GKE Metadata Server',
  'X-XSS-Protection',
  '0',
  'X-Frame-Options',
  'SAMEORIGIN',
]

/** Content types that clients compare as whole strings: no charset may be added. */
export const TEXT = 'application/text'
export const JSON_TYPE = 'application/json'
/** Of ID tokens and redirects. */
export const HTML = 'text/html'

/** An answer of the Google endpoint. */
export function googleAnswer(
  route: GoogleRoute,
  status: number,
  contentType: string,
  body: string | Buffer,
  headers: readonly string[] = [],
): GoogleAnswer {
  const etag = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { ...answer(route, status, contentType, body, ['ETag', etag, ...COMMON, ...headers]), etag }
}

/** An error: one line of plain text, as GKE's server gives it. */
export function googleError(
  route: GoogleRoute,
  status: number,
  message: string,
  headers: readonly string[] = [],
): GoogleAnswer {
  return googleAnswer(route, status, 'text/plain; charset=utf-8', `${message}\n`, [
    'X-Content-Type-Options',
    'nosniff',
    ...headers,
  ])
}
