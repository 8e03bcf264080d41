import * as v from 'valibot'
import { parseScopes } from './parse-scopes.ts'
import { apiRefusal } from './refusal.ts'

/** A well-formed call of the IAM Service Account Credentials API. */
export type Impersonation = {
  readonly serviceAccountEmail: string
  /** E-mails, the caller's own delegate first. */
  readonly delegates: readonly string[]
} & (
  | {
      readonly method: 'generateAccessToken'
      readonly scopes: readonly string[]
      readonly lifetimeSeconds: number
    }
  | { readonly method: 'generateIdToken'; readonly audience: string; readonly includeEmail: boolean }
)

const PATH = /^\/v1\/projects\/([^/]+)\/serviceAccounts\/([^/:]+):(generateAccessToken|generateIdToken)$/
const EMAIL = /^[a-z0-9][a-z0-9._-]{0,62}@[a-z0-9.-]{1,253}$/
const DELEGATE = 'projects/-/serviceAccounts/'
const MAX_LIFETIME_SECONDS = 3600

const common = {
  delegates: v.optional(v.pipe(v.array(v.pipe(v.string(), v.startsWith(DELEGATE))), v.maxLength(10)), []),
}
const ACCESS_TOKEN_BODY = v.strictObject({
  ...common,
  scope: v.array(v.string()),
  // A google.protobuf.Duration in JSON: seconds with at most nine decimals and the suffix `s`.
  lifetime: v.optional(v.pipe(v.string(), v.regex(/^\d{1,12}(?:\.\d{1,9})?s$/)), `${MAX_LIFETIME_SECONDS}s`),
})
const ID_TOKEN_BODY = v.strictObject({
  ...common,
  audience: v.pipe(v.string(), v.minLength(1)),
  includeEmail: v.optional(v.boolean(), false),
})

/**
 * Reads the path and the parsed JSON body of `projects.serviceAccounts.generateAccessToken` or `generateIdToken` (IAM Service
 * Account Credentials API v1). The project must be the wildcard `-`; unknown fields are refused.
 *
 * @throws Refusal `INVALID_ARGUMENT`; `NOT_FOUND` for any other path
 */
export function parseImpersonation(path: string, body: unknown): Impersonation {
  const [, project, account, method] = PATH.exec(path) ?? []
  const serviceAccountEmail = account && decode(account)
  if (!serviceAccountEmail) throw apiRefusal('NOT_FOUND', 'Requested entity was not found.')
  if (project !== '-' || !EMAIL.test(serviceAccountEmail)) {
    throw apiRefusal(
      'INVALID_ARGUMENT',
      'The resource name must have the form projects/-/serviceAccounts/EMAIL.',
    )
  }
  if (method === 'generateIdToken') {
    const { delegates, audience, includeEmail } = parseBody(ID_TOKEN_BODY, body)
    return { method, serviceAccountEmail, delegates: emails(delegates), audience, includeEmail }
  }
  const { delegates, scope, lifetime } = parseBody(ACCESS_TOKEN_BODY, body)
  const scopes = parseScopes(scope)
  if (!scopes) throw apiRefusal('INVALID_ARGUMENT', 'Request contains an invalid argument: scope.')
  const lifetimeSeconds = Number.parseFloat(lifetime)
  if (lifetimeSeconds <= 0 || lifetimeSeconds > MAX_LIFETIME_SECONDS) {
    throw apiRefusal(
      'INVALID_ARGUMENT',
      `The lifetime must be more than 0 and at most ${MAX_LIFETIME_SECONDS} seconds.`,
    )
  }
  return {
    method: 'generateAccessToken',
    serviceAccountEmail,
    delegates: emails(delegates),
    scopes,
    lifetimeSeconds,
  }
}

function emails(delegates: readonly string[]): readonly string[] {
  return delegates.map((name) => name.slice(DELEGATE.length))
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function parseBody<T extends v.GenericSchema>(schema: T, body: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, body)
  if (result.success) return result.output
  const field = v.getDotPath(result.issues[0]) ?? 'none'
  throw apiRefusal('INVALID_ARGUMENT', `Invalid JSON payload received, at field: ${field.slice(0, 100)}.`)
}
