import { randomBytes } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { AssertionError } from '../assertion-error.ts'
import type { Claims } from '../claims.ts'
import { decodeAssertion } from '../decode-assertion.ts'
import type { Issued } from '../issued.ts'
import { showClaim } from '../show-claim.ts'
import { type Assertion, type AssertionVerifier, verifyAssertion } from '../verify-assertion.ts'
import { assumedRoleUser } from './assumed-role-user.ts'
import { base32 } from './base32.ts'
import type { Iam } from './iam.ts'
import { type AssumeRole, parseAssumeRole } from './parse-assume-role.ts'
import { parseRoleArn } from './parse-role-arn.ts'
import type { AnswerTree } from './render-answer.ts'
import type { AwsSessionInfo, OidcProvider } from './sandbox-aws.ts'
import { StsError } from './sts-error.ts'

/** What {@link assumeRole} needs. */
export interface RoleAssumption {
  readonly clock: Clock
  readonly iam: Iam
  readonly verifier: AssertionVerifier
  /** The sessions given out, by access key ID. */
  readonly sessions: Issued<AwsSessionInfo>
}

/**
 * `AssumeRoleWithWebIdentity`: a role session for the bearer of a token of an OIDC provider of the role's account.
 *
 * @returns the result element of the answer
 * @throws StsError
 */
export async function assumeRole(
  { clock, iam, verifier, sessions }: RoleAssumption,
  parameters: URLSearchParams,
): Promise<AnswerTree> {
  const wanted = parseAssumeRole(parameters)
  const { roleArn, roleSessionName, durationSeconds } = wanted
  const role = parseRoleArn(roleArn)
  if (!role) throw new StsError('ValidationError', 'Request ARN is invalid')
  const { provider, claims, podUid } = await authenticate(iam, verifier, role.accountId, wanted, clock)
  const assumable = iam.assumable(roleArn, provider, claims)
  if (!assumable) throw new StsError('AccessDenied')
  if (durationSeconds > assumable.maxSessionSeconds) {
    throw new StsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    )
  }
  const subject = String(claims.sub)
  const expiresAt = (Math.floor(clock.now() / 1000) + durationSeconds) * 1000
  const accessKeyId = `ASIA${base32(randomBytes(10))}`
  const secretAccessKey = randomBytes(30).toString('base64')
  const sessionToken = randomBytes(420).toString('base64')
  const session = { roleArn, sessionName: roleSessionName, subject, podUid, secretAccessKey, sessionToken }
  sessions.add(accessKeyId, { ...session, expiresAt })
  const user = assumedRoleUser(roleArn, roleSessionName)
  const issuerPath = provider.issuer.slice('https://'.length)
  return {
    SubjectFromWebIdentityToken: subject,
    Audience: [claims.aud]
      .flat()
      .find((audience) => provider.clientIds.includes(audience as string)) as string,
    AssumedRoleUser: { Arn: user.arn, AssumedRoleId: user.id },
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: new Date(expiresAt),
    },
    Provider: `arn:${role.partition}:iam::${role.accountId}:oidc-provider/${issuerPath}`,
    PackedPolicySize: null,
    SourceIdentity: null,
  }
}

async function authenticate(
  iam: Iam,
  verifier: AssertionVerifier,
  accountId: string,
  { webIdentityToken }: AssumeRole,
  clock: Clock,
): Promise<Assertion & { readonly provider: OidcProvider }> {
  try {
    const { iss } = decodeAssertion(webIdentityToken)
    const provider = iam.provider(accountId, iss)
    if (!provider) {
      throw new StsError(
        'InvalidIdentityToken',
        `No OpenIDConnect provider found in your account for ${showClaim(iss)}`,
      )
    }
    const { issuer, clientIds: audiences } = provider
    return { ...(await verifyAssertion(verifier, webIdentityToken, { issuer, audiences })), provider }
  } catch (error) {
    throw error instanceof AssertionError ? refusal(error, clock) : error
  }
}

function refusal({ fault, claim, claims, message }: AssertionError, clock: Clock): StsError {
  switch (fault) {
    case 'malformed':
      return new StsError(
        'InvalidIdentityToken',
        'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
      )
    case 'expired':
      return new StsError('ExpiredTokenException', expiry(claims, clock))
    case 'unreachable':
      return new StsError('IDPCommunicationError')
    case 'documents':
    case 'key':
      return new StsError('InvalidIdentityToken')
    case 'claim':
      if (claim !== undefined && claims[claim] === undefined)
        return new StsError('InvalidIdentityToken', `Missing a required claim: ${claim}`)
      return new StsError(
        'InvalidIdentityToken',
        claim === 'aud' ? 'Incorrect token audience' : `The claim ${claim} of the token is not valid`,
      )
    default:
      return new StsError('InvalidIdentityToken', `The token could not be verified: ${message}`)
  }
}

function expiry(claims: Claims, clock: Clock): string {
  const now = Math.floor(clock.now() / 1000)
  return `Token expired: current date/time ${now} must be before the expiration date/time ${claims.exp}`
}
