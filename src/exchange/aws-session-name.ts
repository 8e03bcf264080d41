import { createHash } from 'node:crypto'
import type { CredentialHolder } from './credential-spec.ts'

const MAX_LENGTH = 64
const DIGEST_LENGTH = 8
/** What is left for namespace and pod beside `.`, `=` and the digest. */
const ROOM = MAX_LENGTH - DIGEST_LENGTH - 2
const LEAST_ROOM = Math.floor(ROOM / 2)

/**
 * The name of a pod's role session, `NAMESPACE.POD`: what CloudTrail shows, and what a trust policy may ask about
 * (`sts:RoleSessionName`). At most 64 characters of `[\w+=,.@-]`
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
 *
 * What is too long is cut, and ends in `=` and a digest of the pod's UID, which tells pods apart that are cut alike; a namespace
 * that is cut ends in `+`. Kubernetes names have neither `=` nor `+`, and namespaces no dot: nobody can choose names so
 * as to be taken for another namespace.
 */
export function awsSessionName({ namespace, name, uid }: CredentialHolder): string {
  const whole = `${namespace}.${name}`
  if (whole.length <= MAX_LENGTH) return whole
  const room = Math.max(LEAST_ROOM, ROOM - name.length)
  const shown = namespace.length > room ? `${namespace.slice(0, room - 1)}+` : namespace
  const digest = createHash('sha256').update(uid).digest('hex').slice(0, DIGEST_LENGTH)
  return `${shown}.${name.slice(0, ROOM - shown.length)}=${digest}`
}
