import { Agent, request } from 'undici'
import { silentLog } from '../../../src/lib/log.ts'
import { createCertificateAuthority } from '../../../src/sandbox/certificate-authority.ts'
import { startGoogle } from '../../../src/sandbox/google/start-google.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { TestIssuer } from '../test-issuer.ts'

export const POOL = 'projects/123/locations/global/workloadIdentityPools/pool'
export const PROVIDER = `${POOL}/providers/prod`
export const AUDIENCE = `//iam.googleapis.com/${PROVIDER}`
export const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/system:serviceaccount:ns:app`
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform'
export const TOKEN_REQUEST: Readonly<Record<string, string>> = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  audience: AUDIENCE,
  scope: CLOUD_PLATFORM,
  requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
}

/** An answer of either service. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the tests look at
  readonly body: any
}

/** Google, one cluster that issues tokens, the provider `PROVIDER` that trusts it, and a living pod `pod-uid`. */
export async function startWorld() {
  const ca = await createCertificateAuthority()
  const clock = new FakeClock()
  const issuer = await TestIssuer.start(ca, clock)
  const alivePods = new Set([`${issuer.url} pod-uid`])
  const podIsAlive = (of: string, uid: string) => alivePods.has(`${of} ${uid}`)
  const google = await startGoogle({ ca, clock, log: silentLog, podIsAlive })
  google.addProvider(PROVIDER, { issuer: issuer.url })
  const dispatcher = new Agent({ connect: { ca: ca.pem } })

  async function send(
    url: string,
    { method = 'POST', ...init }: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const { statusCode, headers, body } = await request(url, { dispatcher, method, ...init })
    return { status: statusCode, headers, body: await body.json() }
  }

  /** Exchanges a token; `fields` replace or (undefined) remove parameters. */
  function exchange(
    subjectToken: string,
    fields: Readonly<Record<string, string | undefined>> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries({
      ...TOKEN_REQUEST,
      subject_token: subjectToken,
      ...fields,
    })) {
      if (value !== undefined) parameters.set(name, value)
    }
    return send(`${google.stsUrl}/v1/token`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: parameters.toString(),
    })
  }

  /** The federated token of `ns/app`. */
  async function federate(fields: Readonly<Record<string, string | undefined>> = {}): Promise<string> {
    const { body } = await exchange(await issuer.token({ aud: [AUDIENCE] }), fields)
    return body.access_token
  }

  /** Calls a method of IAM Credentials with a JSON body, or with text as it is. */
  function impersonate(
    bearer: string | undefined,
    accountAndMethod: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return send(`${google.iamCredentialsUrl}/v1/projects/-/serviceAccounts/${accountAndMethod}`, {
      headers: {
        'content-type': 'application/json',
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  return {
    ...{ ca, clock, issuer, alivePods, google, send, exchange, federate, impersonate },
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      await google.close()
      await issuer[Symbol.asyncDispose]()
    },
  }
}
