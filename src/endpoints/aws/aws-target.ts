import type { AwsRoute } from './ec2-answer.ts'

/** What a path below `/latest/` means. */
export interface AwsTarget {
  readonly route: AwsRoute
  /** Without slashes at either end; empty for the version itself. */
  readonly path: string
  /** Of `credentials`: the role's name. */
  readonly role?: string
  /** Of `credentials`: with the account. */
  readonly extended?: boolean
}

/** `latest`, or any of the dated versions: all give the same. */
const VERSIONED = /^\/(?:latest|1\.0|\d{4}-\d\d-\d\d)(?:\/(.*?))?\/?$/
const ROLE = /^meta-data\/iam\/security-credentials(-extended)?(?:\/([^/]+))?$/
const ROUTES: Readonly<Record<string, AwsRoute>> = {
  'api/token': 'token',
  'meta-data/iam/info': 'info',
  'dynamic/instance-identity/document': 'document',
}

/**
 * Reads a canonical path, with or without a slash at its end: clients ask for values with one too.
 *
 * @returns undefined if it begins with no version of the API
 */
export function awsTarget(path: string): AwsTarget | undefined {
  const versioned = VERSIONED.exec(path)
  if (versioned === null) return undefined
  const below = versioned[1] ?? ''
  const role = ROLE.exec(below)
  if (role?.[2] !== undefined) {
    return { route: 'credentials', path: below, role: role[2], extended: role[1] !== undefined }
  }
  return {
    route: role !== null ? 'role' : Object.hasOwn(ROUTES, below) ? ROUTES[below]! : 'value',
    path: below,
  }
}
