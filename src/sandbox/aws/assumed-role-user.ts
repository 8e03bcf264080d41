import { createHash } from 'node:crypto'
import { base32 } from './base32.ts'
import { parseRoleArn } from './parse-role-arn.ts'

/** What AWS calls a role session. */
export interface AssumedRoleUser {
  /** `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`: the role's path is not part of it. */
  readonly arn: string
  /** `AROA…:SESSION`, the role's unique id first. */
  readonly id: string
  readonly accountId: string
}

/**
 * The names of a role's session (IAM user guide, "IAM identifiers").
 *
 * @throws TypeError not the ARN of a role
 */
export function assumedRoleUser(roleArn: string, sessionName: string): AssumedRoleUser {
  const role = parseRoleArn(roleArn)
  if (!role) throw new TypeError(`not the ARN of a role: ${roleArn}`)
  const { partition, accountId, name } = role
  const roleId = `AROA${base32(createHash('sha256').update(roleArn).digest()).slice(0, 17)}`
  return {
    arn: `arn:${partition}:sts::${accountId}:assumed-role/${name}/${sessionName}`,
    id: `${roleId}:${sessionName}`,
    accountId,
  }
}
