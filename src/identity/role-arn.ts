/** The parts of a role's Amazon Resource Name. */
export interface RoleArn {
  readonly partition: string
  readonly accountId: string
  /** The last part of the path. */
  readonly roleName: string
}

const MAX_LENGTH = 1_024
const MAX_PATH_LENGTH = 512
const ARN =
  /^arn:(aws(?:-[a-z]{1,8}){0,3}):iam::(\d{12}):role\/((?:[\x21-\x2e\x30-\x7e]+\/)*)([A-Za-z0-9_+=,.@-]{1,64})$/

/**
 * Reads `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html): a name of up to 64 characters, and a
 * path of printable ones without empty parts, because the operator's rules are asked about this very spelling.
 *
 * @returns undefined if it is none
 */
export function parseRoleArn(text: string): RoleArn | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const match = ARN.exec(text)
  if (match === null) return undefined
  const [, partition, accountId, path, roleName] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ]
  return path.length > MAX_PATH_LENGTH ? undefined : { partition, accountId, roleName }
}
