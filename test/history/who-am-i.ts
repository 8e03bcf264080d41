import type { Sandbox } from '../../src/sandbox/sandbox-types.ts'
import { EMAIL, TOKEN } from '../support/pod-questions.ts'
import { accountOfClient, accountOfEmail, accountOfRole } from './accounts.ts'

/** A request that a client sends from where it is. */
export interface Question {
  readonly method?: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Sends a question on a connection of its own. */
export type Send = (question: Question) => Promise<{ readonly status: number; readonly body: string }>

/** A client's memory, as SDKs have it: whoever is at the address next goes on with it. */
export interface ClientMemory {
  /** IMDSv2's. */
  sessionToken: string | undefined
}

/** Who gives identities. */
export type CloudName = 'google' | 'aws' | 'azure'

/** What a client was told. */
export type Told =
  /** Who it is: a ServiceAccount of the histories; the pod's UID where the credential is one pod's. */
  | {
      readonly kind: 'identity'
      readonly cloud: CloudName
      readonly account: string | undefined
      readonly podUid: string | undefined
    }
  /** Nothing for the time being. */
  | { readonly kind: 'refused' }
  /** Anything else. */
  | { readonly kind: 'failed'; readonly what: string }

const REFUSED: Told = { kind: 'refused' }
const SESSION_TOKEN = '/latest/api/token'
const ROLES = '/latest/meta-data/iam/security-credentials/'
const AZURE_TOKEN =
  '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net'
/** How many ask AWS and how many Azure, and how many of those who could do without it ask for a credential. */
const AWS = 0.2
const AZURE = 0.1
const CREDENTIAL = 0.03

/**
 * Asks one of the three clouds who the client is. Credentials are shown to the cloud that gave them out.
 *
 * @throws Error if a connection breaks
 */
export async function whoAmI(
  send: Send,
  memory: ClientMemory,
  sandbox: Sandbox,
  random: () => number,
): Promise<Told> {
  const cloud = random()
  if (cloud < AWS) return askAws(send, memory, sandbox, random)
  return cloud < AWS + AZURE ? askAzure(send, sandbox) : askGoogle(send, sandbox, random)
}

async function askGoogle(send: Send, { google }: Sandbox, random: () => number): Promise<Told> {
  const byToken = random() < CREDENTIAL
  const { status, body } = await send({
    path: byToken ? TOKEN : EMAIL,
    headers: { 'Metadata-Flavor': 'Google' },
  })
  // The sandbox's Google refuses tokens of pods that are gone, and the daemon may not know yet that one is; for a while the
  // other pods of its ServiceAccount are told the same.
  if (status === 403 && byToken && body.includes('invalid_grant')) return REFUSED
  if (status !== 200) return unanswered(status, body)
  const email = byToken ? google.inspect(JSON.parse(body).access_token)?.identity : body
  return { kind: 'identity', cloud: 'google', account: accountOfEmail(email), podUid: undefined }
}

/** With a session token that may be a predecessor's, or without. */
async function askAws(
  send: Send,
  memory: ClientMemory,
  { aws }: Sandbox,
  random: () => number,
): Promise<Told> {
  const token = random() < 0.5 ? await sessionToken(send, memory) : undefined
  const headers: Question['headers'] = token === undefined ? {} : { 'X-aws-ec2-metadata-token': token }
  const listed = await send({ path: ROLES, headers })
  if (listed.status === 401 && token !== undefined) {
    memory.sessionToken = undefined
    return REFUSED
  }
  if (listed.status !== 200) return unanswered(listed.status, listed.body)
  const ofRole: Told = { kind: 'identity', cloud: 'aws', account: listed.body, podUid: undefined }
  if (random() >= CREDENTIAL) return ofRole
  const { status, body } = await send({ path: `${ROLES}${listed.body}`, headers })
  // The address may be another pod's by now, which has another role or needs another token.
  if (status === 404 || (status === 401 && token !== undefined)) return ofRole
  if (status !== 200) return unanswered(status, body)
  const document = JSON.parse(body) as { Code: string; AccessKeyId: string }
  if (document.Code !== 'Success') return { kind: 'failed', what: body }
  const session = aws.inspect(document.AccessKeyId)
  return { kind: 'identity', cloud: 'aws', account: accountOfRole(session?.roleArn), podUid: session?.podUid }
}

async function sessionToken(send: Send, memory: ClientMemory): Promise<string> {
  if (memory.sessionToken !== undefined) return memory.sessionToken
  const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': '21600' }
  const { status, body } = await send({ method: 'PUT', path: SESSION_TOKEN, headers })
  if (status !== 200) throw new Error(`no session token: ${status} ${body}`)
  memory.sessionToken = body
  return body
}

async function askAzure(send: Send, { azure }: Sandbox): Promise<Told> {
  const { status, body } = await send({ path: AZURE_TOKEN, headers: { Metadata: 'true' } })
  if (status !== 200) return unanswered(status, body)
  const clientId = azure.inspect(JSON.parse(body).access_token)?.clientId
  return { kind: 'identity', cloud: 'azure', account: accountOfClient(clientId), podUid: undefined }
}

function unanswered(status: number, body: string): Told {
  return status === 503 ? REFUSED : { kind: 'failed', what: `${status}: ${body}` }
}
