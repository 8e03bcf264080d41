import { StsError } from './sts-error.ts'

/** A well-formed request of `AssumeRoleWithWebIdentity`. */
export interface AssumeRole {
  readonly roleArn: string
  readonly roleSessionName: string
  readonly webIdentityToken: string
  readonly durationSeconds: number
}

/** Constraints of the service model of STS (API version 2011-06-15): lengths of texts, bounds of numbers. */
const ROLE_ARN = { min: 20, max: 2048 }
const SESSION_NAME = { min: 2, max: 64, pattern: /^[\w+=,.@-]*$/, shown: String.raw`[\w+=,.@-]*` }
const TOKEN = { min: 4, max: 20_000 }
const DURATION = { min: 900, max: 43_200 }
const DEFAULT_DURATION_SECONDS = 3600

/**
 * Reads the parameters of `AssumeRoleWithWebIdentity`. Session policies are not looked at.
 *
 * @throws StsError `ValidationError`, with every violation
 */
export function parseAssumeRole(parameters: URLSearchParams): AssumeRole {
  const problems: string[] = []

  function text(
    name: string,
    { min, max, pattern, shown }: { min: number; max: number; pattern?: RegExp; shown?: string },
    secret = false,
  ): string {
    const value = parameters.get(name) ?? undefined
    const at = `'${name.charAt(0).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must`
    const broken = (constraint: string) =>
      problems.push(`Value ${secret ? '' : `'${value?.slice(0, 2048)}' `}at ${at} ${constraint}`)
    if (value === undefined) problems.push(`Value null at ${at} not be null`)
    else if (value.length < min) broken(`have length greater than or equal to ${min}`)
    else if (value.length > max) broken(`have length less than or equal to ${max}`)
    if (value !== undefined && pattern?.test(value) === false)
      broken(`satisfy regular expression pattern: ${shown}`)
    return value ?? ''
  }

  function seconds(name: string): number {
    const value = parameters.get(name)
    if (value === null) return DEFAULT_DURATION_SECONDS
    const broken = (constraint: string) =>
      problems.push(
        `Value '${value.slice(0, 100)}' at 'durationSeconds' failed to satisfy constraint: Member must ${constraint}`,
      )
    if (!/^-?\d{1,10}$/.test(value)) broken('be an integer')
    else if (Number(value) < DURATION.min) broken(`have value greater than or equal to ${DURATION.min}`)
    else if (Number(value) > DURATION.max) broken(`have value less than or equal to ${DURATION.max}`)
    return Number(value)
  }

  const request = {
    roleArn: text('RoleArn', ROLE_ARN),
    roleSessionName: text('RoleSessionName', SESSION_NAME),
    webIdentityToken: text('WebIdentityToken', TOKEN, true),
    durationSeconds: seconds('DurationSeconds'),
  }
  if (problems.length > 0) {
    const count = `${problems.length} validation error${problems.length > 1 ? 's' : ''} detected`
    throw new StsError('ValidationError', `${count}: ${problems.join('; ')}`)
  }
  return request
}
