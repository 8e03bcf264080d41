import { Secret } from '../lib/secret.ts'
import { awsValue, parseAwsBody } from './aws-body.ts'
import type { AwsCredential } from './aws-credential.ts'
import type { CloudAnswer } from './cloud-request.ts'
import { malformed } from './malformed.ts'

/** What was asked for. */
export interface AwsSessionRequest {
  readonly accountId: string
  readonly roleName: string
  readonly sessionName: string
  readonly sessionSeconds: number
}

const SERVICE = 'AWS STS'
/** What goes into a JSON text and a header unchanged. Session tokens have a few KiB, and no documented limit. */
const TEXT = /^[\x21-\x7e]{1,16384}$/
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/
const ASSUMED_ROLE = /^arn:[a-z-]{1,32}:sts::(\d{12}):assumed-role\/([^/]+)\/([^/]+)$/

/**
 * A successful answer of AssumeRoleWithWebIdentity
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
 *
 * @throws MetadatadError `EXCHANGE_MALFORMED`, also if it is the session of another role or name
 */
export function awsRoleSession(answer: CloudAnswer, asked: AwsSessionRequest): AwsCredential {
  const body = parseAwsBody(answer.text)
  const result = (...path: string[]) =>
    awsValue(body, 'AssumeRoleWithWebIdentityResponse', 'AssumeRoleWithWebIdentityResult', ...path)
  checkOwner(result('AssumedRoleUser', 'Arn'), asked)
  const accessKeyId = result('Credentials', 'AccessKeyId')
  const secretAccessKey = result('Credentials', 'SecretAccessKey')
  const sessionToken = result('Credentials', 'SessionToken')
  if (!isText(accessKeyId) || !isText(secretAccessKey) || !isText(sessionToken)) {
    throw malformed(SERVICE, 'bad credentials')
  }
  const token = new Secret(sessionToken)
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: token,
    accountId: asked.accountId,
    obtainedAt: answer.sentAt,
    expiresAt: endOf(result('Credentials', 'Expiration'), answer, asked),
    digest: token.digest,
  }
}

/** Services that only resemble STS may leave it out. */
function checkOwner(arn: unknown, { accountId, roleName, sessionName }: AwsSessionRequest): void {
  if (arn === undefined || arn === '') return
  const [, account, role, session] = (typeof arn === 'string' && ASSUMED_ROLE.exec(arn)) || []
  // No account has two roles whose names differ in their case alone.
  const isOurs = account === accountId && role?.toLowerCase() === roleName.toLowerCase()
  if (!isOurs || session !== sessionName) throw malformed(SERVICE, 'session of another role')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && TEXT.test(value)
}

/**
 * An end by AWS's clock as one by ours: it is only of use if it lies ahead, and where ours is late, the session still lives no
 * longer than it was asked to.
 */
function endOf(expiration: unknown, { sentAt }: CloudAnswer, { sessionSeconds }: AwsSessionRequest): number {
  // JSON has seconds since the epoch, XML a date.
  const end =
    typeof expiration === 'number'
      ? expiration * 1000
      : typeof expiration === 'string' && RFC_3339.test(expiration)
        ? Date.parse(expiration)
        : Number.NaN
  if (!(end > sentAt)) throw malformed(SERVICE, "end of the session out of range by this node's clock")
  return Math.min(end, sentAt + sessionSeconds * 1000)
}
