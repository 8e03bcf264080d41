import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { AssertionError } from '../assertion-error.ts'
import type { Claims } from '../claims.ts'
import { decodeAssertion } from '../decode-assertion.ts'
import type { Issued } from '../issued.ts'
import { showClaim } from '../show-claim.ts'
import type { SigningKeys } from '../signing-keys.ts'
import { type Assertion, type AssertionVerifier, verifyAssertion } from '../verify-assertion.ts'
import type { Directory } from './directory.ts'
import { EntraError } from './entra-error.ts'
import { matchCredential } from './match-credential.ts'
import { parseTokenRequest } from './parse-token-request.ts'
import type { AzureTokenInfo, FederatedCredential } from './sandbox-azure.ts'

/** What {@link issueToken} needs. */
export interface TokenIssue {
  readonly clock: Clock
  readonly directory: Directory
  readonly verifier: AssertionVerifier
  readonly keys: SigningKeys
  /** The tokens given out. */
  readonly tokens: Issued<AzureTokenInfo>
  /** Seconds. */
  readonly lifetime: () => number
}

/** Entra dates its tokens back by this much, against clocks that are late. */
const BACKDATED_SECONDS = 300

/**
 * The client credentials grant of the v2 token endpoint: an access token of the application for which the client assertion
 * stands.
 *
 * @returns the body of the answer
 * @throws EntraError
 */
export async function issueToken(
  { clock, directory, verifier, keys, tokens, lifetime }: TokenIssue,
  tenantId: string,
  form: URLSearchParams,
): Promise<object> {
  directory.requireTenant(tenantId)
  const { clientId, assertion, resource } = parseTokenRequest(form)
  const { application, propagating } = directory.application(tenantId, clientId)
  const claims = decode(assertion)
  if (application.federatedCredentials.length === 0) {
    throw new EntraError(70025, `The client '${clientId}' has no configured federated identity credentials.`)
  }
  if (propagating) throw new EntraError(70021, unmatched(claims))
  const credential = matchCredential(application.federatedCredentials, claims)
  const { podUid } = await verify(verifier, assertion, credential)
  directory.requireResource(resource, tenantId)

  const now = Math.floor(clock.now() / 1000)
  const seconds = lifetime()
  const objectId = guidOf(`${tenantId} ${clientId}`.toLowerCase())
  const token = await keys.sign({
    aud: resource,
    iss: `https://sts.windows.net/${application.tenantId}/`,
    iat: now - BACKDATED_SECONDS,
    nbf: now - BACKDATED_SECONDS,
    exp: now + seconds,
    appid: application.clientId,
    appidacr: '2',
    idp: `https://sts.windows.net/${application.tenantId}/`,
    idtyp: 'app',
    oid: objectId,
    sub: objectId,
    tid: application.tenantId,
    uti: randomBytes(16).toString('base64url'),
    ver: '1.0',
  })
  tokens.add(token, {
    tenantId: application.tenantId,
    clientId: application.clientId,
    objectId,
    audience: resource,
    subject: credential.subject,
    podUid,
    expiresAt: (now + seconds) * 1000,
  })
  return { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token }
}

function decode(assertion: string): Claims {
  try {
    return decodeAssertion(assertion)
  } catch {
    throw new EntraError(50027)
  }
}

async function verify(
  verifier: AssertionVerifier,
  assertion: string,
  { issuer, audience }: FederatedCredential,
): Promise<Assertion> {
  try {
    return await verifyAssertion(verifier, assertion, { issuer, audiences: [audience] })
  } catch (error) {
    throw error instanceof AssertionError ? refusal(error, verifier.clock.now()) : error
  }
}

function refusal({ fault, claim, claims, message }: AssertionError, now: number): EntraError {
  switch (fault) {
    case 'unreachable':
    case 'documents':
      return new EntraError(50166)
    case 'key':
      return new EntraError(7000272)
    case 'expired':
      return new EntraError(700024, timeRange(claims, now))
    case 'claim':
      if (claim === 'nbf' && typeof claims.nbf === 'number')
        return new EntraError(700024, timeRange(claims, now))
      return new EntraError(
        50027,
        `JWT token is invalid or malformed. The claim '${claim}' is missing or not valid.`,
      )
    default:
      return new EntraError(700027, `Client assertion failed signature validation. ${message}.`)
  }
}

function unmatched({ iss, sub, aud }: Claims): string {
  const [issuer, subject, audience] = [iss, sub, aud].map(showClaim)
  return `No matching federated identity record found for presented assertion. Assertion Issuer: '${issuer}'. Assertion Subject: '${subject}'. Assertion Audience: '${audience}'. https://learn.microsoft.com/entra/workload-id/workload-identity-federation`
}

function timeRange({ nbf, exp }: Claims, now: number): string {
  return `Client assertion is not within its valid time range. Current time: ${isoTime(now / 1000)}, assertion valid from ${isoTime(nbf)}, expiry time of assertion ${isoTime(exp)}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`
}

/** Seconds since the epoch with the seven decimals of .NET's round-trip format. */
function isoTime(seconds: unknown): string {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : 0)
  return Number.isNaN(date.getTime())
    ? '9999-12-31T23:59:59.0000000Z'
    : date.toISOString().replace('Z', '0000Z')
}

/** The same GUID for the same text: an object ID that no other application has. */
function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
