import { type Answered, ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { EMAIL, TOKEN } from '../../support/pod-questions.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'
import type { ThreeIdentities } from './three-identities.ts'

const AZURE = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net'

/** What a pod may ask for. */
export type Question = 'google' | 'aws' | 'azure' | 'email' | 'zone'

/** Asks once, as the pod at `ip` whose ServiceAccount has these identities. */
export function question(
  daemon: ClusterDaemon,
  ip: string,
  identities: ThreeIdentities,
  what: Question,
): Promise<Answered> {
  const role = identities.arn.slice(identities.arn.indexOf('/') + 1)
  const paths: Record<Question, string> = {
    google: TOKEN,
    email: EMAIL,
    zone: '/computeMetadata/v1/instance/zone',
    aws: `/latest/meta-data/iam/security-credentials/${role}`,
    azure: AZURE,
  }
  const headers: Record<string, string> =
    what === 'aws'
      ? { 'Metadata-Flavor': '' }
      : what === 'azure'
        ? { 'Metadata-Flavor': '', Metadata: 'true' }
        : {}
  return ask(daemon.host, paths[what], { ip, headers })
}

/** Asks until the answer is no 503, and gives whose credential it is by the cloud's own word, or what was answered. */
export async function patientAnswer(
  daemon: ClusterDaemon,
  ip: string,
  identities: ThreeIdentities,
  what: Question,
): Promise<string | undefined> {
  const { status, body } = await eventually(
    () => question(daemon, ip, identities, what),
    (it) => it.status !== 503,
  )
  if (status !== 200) return `${status} ${body}`
  const { google, aws, azure } = daemon.sandbox
  switch (what) {
    case 'google':
      return google.inspect(JSON.parse(body).access_token)?.identity
    case 'aws':
      // A refusal is a 200 too, with another code.
      return aws.inspect(JSON.parse(body).AccessKeyId)?.roleArn ?? body
    case 'azure':
      return azure.inspect(JSON.parse(body).access_token)?.clientId
    default:
      return body
  }
}
