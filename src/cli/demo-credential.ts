import type { Sandbox } from '../sandbox/sandbox-types.ts'
import type { DemoCloud } from './demo-pods.ts'
import type { DemoAnswer, DemoQuestion } from './demo-request.ts'

/** What a pod of the demo got from the daemon. */
export interface DemoCredential {
  /** The access token, or the access key's session token. */
  readonly secret: string
  /** Seconds. */
  readonly expiresIn: number
  /** Whom the cloud that gave it out knows it as; undefined if that cloud does not know it. */
  readonly identity: string | undefined
}

/** A request as one pod. */
export type Ask = (question: DemoQuestion) => Promise<DemoAnswer>

/**
 * Gets a credential of one cloud with the requests that the cloud's own SDKs send.
 *
 * @param now milliseconds since the epoch
 * @returns the refusing answer if there was one
 */
export function obtainDemoCredential(
  cloud: DemoCloud,
  sandbox: Sandbox,
  ask: Ask,
  now: () => number,
): Promise<DemoCredential | DemoAnswer> {
  return { google, aws, azure }[cloud](sandbox, ask, now)
}

async function google({ google }: Sandbox, ask: Ask): Promise<DemoCredential | DemoAnswer> {
  const answer = await ask({
    path: '/computeMetadata/v1/instance/service-accounts/default/token',
    headers: { 'Metadata-Flavor': 'Google' },
  })
  if (answer.status !== 200) return answer
  const { access_token: secret, expires_in: expiresIn } = JSON.parse(answer.body)
  return { secret, expiresIn, identity: google.inspect(secret)?.identity }
}

async function aws({ aws }: Sandbox, ask: Ask, now: () => number): Promise<DemoCredential | DemoAnswer> {
  const session = await ask({
    method: 'PUT',
    path: '/latest/api/token',
    headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '21600' },
  })
  if (session.status !== 200) return session
  const headers = { 'X-aws-ec2-metadata-token': session.body }
  const roles = '/latest/meta-data/iam/security-credentials/'
  const role = await ask({ path: roles, headers })
  if (role.status !== 200) return role
  const answer = await ask({ path: roles + role.body, headers })
  if (answer.status !== 200) return answer
  const { AccessKeyId, Token, Expiration } = JSON.parse(answer.body)
  const expiresIn = Math.floor((Date.parse(Expiration) - now()) / 1000)
  return { secret: Token, expiresIn, identity: aws.inspect(AccessKeyId)?.roleArn }
}

async function azure({ azure }: Sandbox, ask: Ask): Promise<DemoCredential | DemoAnswer> {
  const resource = 'https://management.azure.com/'
  const answer = await ask({
    path: `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}`,
    headers: { Metadata: 'true' },
  })
  if (answer.status !== 200) return answer
  const { access_token: secret, expires_in } = JSON.parse(answer.body)
  return { secret, expiresIn: Number(expires_in), identity: azure.inspect(secret)?.clientId }
}
