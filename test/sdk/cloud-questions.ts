import { type Answered, ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'

/** Where IMDS lists the pod's role, and has its session. */
export const ROLES = '/latest/meta-data/iam/security-credentials/'

/** The path of an Azure access token. */
export function azureTokenPath(resource: string, clientId?: string): string {
  const query = { 'api-version': '2018-02-01', resource, ...(clientId && { client_id: clientId }) }
  return `/metadata/identity/oauth2/token?${new URLSearchParams(query)}`
}

/** One question of an Azure client. */
export function askAzure(host: string, ip: string, resource: string, clientId?: string): Promise<Answered> {
  return ask(host, azureTokenPath(resource, clientId), { ip, headers: { Metadata: 'true' } })
}

/** One question of an AWS client without a session token. */
export function askAws(host: string, ip: string, path: string): Promise<Answered> {
  return ask(host, path, { ip })
}

/** Asks again while the answer is 503. */
export function patiently(question: () => Promise<Answered>): Promise<Answered> {
  return eventually(question, ({ status }) => status !== 503)
}

/** A role session, as EC2 and EKS spell it. */
export interface SessionBody {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly Token: string
  readonly Expiration: string
}

/**
 * The session of the role that the pod at `ip` is told it has.
 * @throws Error if there is none
 */
export async function sessionOf(host: string, ip: string): Promise<SessionBody> {
  const role = await patiently(() => askAws(host, ip, ROLES))
  if (role.status !== 200) throw new Error(`${role.status}: ${role.body}`)
  const session = await patiently(() => askAws(host, ip, ROLES + role.body))
  if (session.status !== 200) throw new Error(`${session.status}: ${session.body}`)
  return JSON.parse(session.body)
}

/**
 * The access token that the pod at `ip` gets.
 * @throws Error if it is refused
 */
export async function azureTokenOf(
  host: string,
  ip: string,
  resource: string,
): Promise<{ access_token: string; client_id: string; expires_in: string; expires_on: string }> {
  const { status, body } = await patiently(() => askAzure(host, ip, resource))
  if (status !== 200) throw new Error(`${status}: ${body}`)
  return JSON.parse(body)
}
