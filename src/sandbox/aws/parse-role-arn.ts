/** The parts of a role's ARN. */
export interface RoleArn {
  readonly partition: string
  readonly accountId: string
  /** Without the path. */
  readonly name: string
}

const ROLE_ARN = /^arn:(aws(?:-[a-z]+)*):iam::(\d{12}):role\/(?:[\x21-\x2e\x30-\x7e]+\/)*([\w+=,.@-]{1,64})$/

/**
 * Reads `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` (IAM user guide, "IAM identifiers").
 *
 * @returns undefined if it is not of that form
 */
export function parseRoleArn(arn: string): RoleArn | undefined {
  const [, partition, accountId, name] = (arn.length <= 2048 && ROLE_ARN.exec(arn)) || []
  return partition && accountId && name ? { partition, accountId, name } : undefined
}
