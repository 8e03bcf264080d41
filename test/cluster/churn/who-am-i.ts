import { Secret } from '../../../src/lib/secret.ts'
import type { Clouds } from '../../../src/sandbox/start-clouds.ts'
import type { Answered } from '../../support/ask.ts'
import { EMAIL, TOKEN } from '../../support/pod-questions.ts'
import type { Account } from './accounts.ts'
import type { PodClient } from './pod-client.ts'

/** What a pod was told. */
export type Told =
  | {
      readonly kind: 'identity'
      /** An e-mail, a role's ARN or an IAM member; undefined for none of its own. */
      readonly identity: string | undefined
      /** Of the pod that a credential was made out to, where it is one pod's alone. */
      readonly podUid?: string | undefined
      /** Of the credential, as the daemon's log has it; undefined if none was asked for. */
      readonly digest?: string
    }
  /** Nothing for the time being. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly what: string }

/** What is asked for: a credential, which the cloud that gave it out says the owner of, or a name alone. */
export type Wish = 'credential' | 'name'

const ROLES = '/latest/meta-data/iam/security-credentials/'
const ROLE_ARN = 'arn:aws:iam::123456789012:role/'
const SERVICE_ACCOUNTS = '.iam.gserviceaccount.com'
const REFUSED: Told = { kind: 'refused' }

/**
 * Asks who the pod is, as an SDK of its cloud does.
 *
 * @throws Error if a connection breaks
 */
export async function whoAmI(
  client: PodClient,
  { kind }: Account,
  wish: Wish,
  how: 'kept' | 'new',
  clouds: Clouds,
): Promise<Told> {
  return kind === 'aws' ? askAws(client, wish, how, clouds) : askGoogle(client, wish, how, clouds)
}

async function askGoogle(client: PodClient, wish: Wish, how: 'kept' | 'new', clouds: Clouds): Promise<Told> {
  const path = wish === 'credential' ? TOKEN : EMAIL
  const answer = await client.ask({ path, headers: { 'Metadata-Flavor': 'Google' } }, how)
  if (answer.status !== 200) return unanswered(answer)
  // One that has none is told the pool's name, which is everybody's.
  const email = answer.body.endsWith(SERVICE_ACCOUNTS) ? answer.body : undefined
  if (wish === 'name') return { kind: 'identity', identity: email }
  const token = JSON.parse(answer.body).access_token
  const identity = clouds.google.inspect(token)?.identity ?? 'nobody'
  return { kind: 'identity', identity, digest: new Secret(token).digest }
}

async function askAws(client: PodClient, wish: Wish, how: 'kept' | 'new', clouds: Clouds): Promise<Told> {
  const listed = await client.ask({ path: ROLES, headers: {} }, how)
  if (listed.status === 404) return { kind: 'identity', identity: undefined }
  if (listed.status !== 200) return unanswered(listed)
  if (wish === 'name') return { kind: 'identity', identity: `${ROLE_ARN}${listed.body}` }
  const answer = await client.ask({ path: `${ROLES}${listed.body}`, headers: {} }, how)
  // The role was another a moment ago.
  if (answer.status === 404) return REFUSED
  if (answer.status !== 200) return unanswered(answer)
  const { Code, AccessKeyId, Token } = JSON.parse(answer.body)
  if (Code !== 'Success') return { kind: 'failed', what: answer.body }
  const session = clouds.aws.inspect(AccessKeyId)
  return {
    kind: 'identity',
    identity: session?.roleArn ?? 'nobody',
    podUid: session?.podUid ?? 'nobody',
    digest: new Secret(Token).digest,
  }
}

function unanswered({ status, body }: Answered): Told {
  return status === 503 ? REFUSED : { kind: 'failed', what: `${status}: ${body}` }
}
