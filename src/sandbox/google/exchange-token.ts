import type { Clock } from '../../lib/clock.ts'
import type { AccessTokens } from './access-tokens.ts'
import { parseScopes } from './parse-scopes.ts'
import { stsRefusal } from './refusal.ts'
import type { Trusts } from './trusts.ts'
import { type SubjectTokenVerifier, verifySubjectToken } from './verify-subject-token.ts'

/** What {@link exchangeToken} needs. */
export interface TokenExchange {
  readonly clock: Clock
  readonly trusts: Trusts
  readonly verifier: SubjectTokenVerifier
  readonly tokens: AccessTokens
  /** Seconds. */
  readonly lifetime: () => number
}

/** A request of `POST /v1/token`. */
export interface TokenExchangeRequest {
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly body: string
}

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** Names in a form, and in JSON; JSON may use either (protobuf's JSON mapping). */
const FIELDS = {
  grant_type: 'grantType',
  audience: 'audience',
  scope: 'scope',
  requested_token_type: 'requestedTokenType',
  subject_token: 'subjectToken',
  subject_token_type: 'subjectTokenType',
  options: 'options',
} as const
type Field = keyof typeof FIELDS

/**
 * `token` of Google's Security Token Service v1: RFC 8693 with a form body, or JSON with camelCase names.
 *
 * @returns the body of the answer
 * @throws Refusal with an OAuth error
 */
export async function exchangeToken(exchange: TokenExchange, request: TokenExchangeRequest): Promise<object> {
  if (request.authorization !== undefined) {
    throw stsRefusal('invalid_request', 'The request must not have an Authorization header.')
  }
  const fields = parseFields(request)
  const required = (name: Field) => {
    const value = fields.get(name)
    if (!value) throw stsRefusal('invalid_request', `Missing required parameter: ${name}.`)
    return value
  }
  if (required('grant_type') !== GRANT_TYPE) {
    throw stsRefusal('unsupported_grant_type', `The grant type must be ${GRANT_TYPE}.`)
  }
  if (required('requested_token_type') !== `${TOKEN_TYPE}access_token`) {
    throw stsRefusal(
      'invalid_request',
      `Invalid requested_token_type: only ${TOKEN_TYPE}access_token is supported.`,
    )
  }
  if (![`${TOKEN_TYPE}jwt`, `${TOKEN_TYPE}id_token`].includes(required('subject_token_type'))) {
    throw stsRefusal('invalid_request', 'Invalid subject_token_type.')
  }
  const scopes = parseScopes(required('scope').split(' '))
  if (!scopes) throw stsRefusal('invalid_scope', 'Invalid OAuth scope.')
  const trust = exchange.trusts.find(required('audience'))
  if (!trust) {
    throw stsRefusal(
      'invalid_target',
      'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
    )
  }
  const { claims, podUid } = await verifySubjectToken(exchange.verifier, trust, required('subject_token'))
  const members = trust.members(claims)
  const lifetime = exchange.lifetime()
  const expiresAt = exchange.clock.now() + lifetime * 1000
  return {
    access_token: exchange.tokens.issue({
      members,
      identity: members[0]!,
      scopes,
      podUid,
      quotaProject: undefined,
      expiresAt,
    }),
    issued_token_type: `${TOKEN_TYPE}access_token`,
    token_type: 'Bearer',
    expires_in: lifetime,
  }
}

function parseFields({ contentType, body }: TokenExchangeRequest): ReadonlyMap<Field, string> {
  const isForm = /^application\/x-www-form-urlencoded(?:\s*;|$)/i.test(contentType ?? '')
  const entries = isForm ? new URLSearchParams(body) : jsonEntries(contentType, body)
  if (!entries)
    throw stsRefusal(
      'invalid_request',
      'The body is neither a form nor a JSON object of the declared Content-Type.',
    )
  const fields = new Map<Field, string>()
  for (const [name, value] of entries) {
    const field = (Object.keys(FIELDS) as Field[]).find(
      (key) => name === key || (!isForm && name === FIELDS[key]),
    )
    if (!field || typeof value !== 'string')
      throw stsRefusal('invalid_request', `Invalid parameter: ${name.slice(0, 100)}.`)
    if (fields.has(field)) throw stsRefusal('invalid_request', `Repeated parameter: ${field}.`)
    fields.set(field, value)
  }
  return fields
}

function jsonEntries(contentType: string | undefined, body: string): [string, unknown][] | undefined {
  if (!/^application\/json(?:\s*;|$)/i.test(contentType ?? '')) return undefined
  try {
    return Object.entries(JSON.parse(body))
  } catch {
    return undefined
  }
}
