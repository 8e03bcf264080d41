import { readFileSync } from 'node:fs'
import type { Clouds } from '../../../src/sandbox/start-clouds.ts'
import type { Identity } from './identities.ts'

/** What a pod's first process asks, and how its answer is judged. */
export interface Question {
  readonly name: string
  /** Whose pods ask: undefined if all do. */
  readonly needsRole: boolean
  /** One request, whose time in seconds is printed, that of the last try. */
  readonly once: boolean
  command(identity: Identity): readonly string[]
  /**
   * Whether what the pod left in /dev/termination-log is its own.
   *
   * @returns undefined if there is no credential in it
   */
  isOwn(left: string, identity: Identity, podUid: string, clouds: Clouds): boolean | undefined
}

const ORIGIN = 'http://169.254.169.254'
const TOKEN = `${ORIGIN}/computeMetadata/v1/instance/service-accounts/default/token`
const ROLES = `${ORIGIN}/latest/meta-data/iam/security-credentials`
/** Where the kubelet reads what a container leaves. */
const LEFT = '/dev/termination-log'
const CURL = [
  // Three tries of a second, one right after the other, as SDKs have them.
  ...['curl', '--silent', '--show-error', '--fail-with-body', '--max-time', '1'],
  ...['--retry', '2', '--retry-all-errors', '--retry-delay', '0'],
  ...['--output', LEFT, '--write-out', '%{time_total}\\n'],
]

/** A request by a program that does nothing else. */
export const CURL_GOOGLE: Question = {
  name: 'curl, Google',
  needsRole: false,
  once: true,
  command: () => [...CURL, '--header', 'Metadata-Flavor: Google', TOKEN],
  isOwn: (left, identity, _podUid, clouds) => ownsToken(field(left, 'access_token'), identity, clouds),
}

/** The same, for a role's credentials. */
export const CURL_AWS: Question = {
  name: 'curl, AWS',
  needsRole: true,
  once: true,
  command: ({ roleArn }) => [...CURL, `${ROLES}/${roleArn!.slice(roleArn!.lastIndexOf('/') + 1)}`],
  isOwn: (left, identity, podUid, clouds) => ownsKey(field(left, 'AccessKeyId'), identity, podUid, clouds),
}

/** Google's library with its own patience; to be followed by the file that the token is left in. */
export const GOOGLE_AUTH_PROGRAM = python('google_auth_client.py')

/** The same as a pod's first instruction. */
export const GOOGLE_AUTH: Question = {
  name: 'google-auth',
  needsRole: false,
  once: false,
  command: () => [...GOOGLE_AUTH_PROGRAM, LEFT],
  isOwn: (left, identity, _podUid, clouds) => ownsToken(left, identity, clouds),
}

/** AWS's library with its own patience: one try of a second. */
export const BOTOCORE: Question = {
  name: 'botocore',
  needsRole: true,
  once: false,
  command: () => [...python('botocore_client.py'), LEFT],
  isOwn: (left, identity, podUid, clouds) => ownsKey(left, identity, podUid, clouds),
}

function python(program: string): readonly string[] {
  return ['python3', '-c', readFileSync(new URL(`../client/${program}`, import.meta.url), 'utf8')]
}

function ownsToken(token: string | undefined, { email }: Identity, { google }: Clouds): boolean | undefined {
  const found = token === undefined ? undefined : google.inspect(token)
  return found === undefined ? undefined : found.identity === email
}

function ownsKey(
  id: string | undefined,
  { roleArn }: Identity,
  podUid: string,
  { aws }: Clouds,
): boolean | undefined {
  const found = id === undefined ? undefined : aws.inspect(id)
  return found === undefined ? undefined : found.roleArn === roleArn && found.podUid === podUid
}

function field(left: string, name: string): string | undefined {
  try {
    return JSON.parse(left)[name]
  } catch {
    return undefined
  }
}
