import { Agent, request } from 'undici'
import { silentLog } from '../../../src/lib/log.ts'
import { startAws } from '../../../src/sandbox/aws/start-aws.ts'
import { createCertificateAuthority } from '../../../src/sandbox/certificate-authority.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { TestIssuer } from '../test-issuer.ts'

export const ACCOUNT = '123456789012'
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/team/app`
export const AUDIENCE = 'sts.amazonaws.com'
export const SUBJECT = 'system:serviceaccount:ns:app'

/** An answer of STS. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The JSON body; empty where it is XML. */
  // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the tests look at
  readonly body: any
}

/** STS, one cluster that issues tokens, its OIDC provider in `ACCOUNT`, and `ROLE`, which trusts `ns/app`. */
export async function startWorld() {
  const ca = await createCertificateAuthority()
  const clock = new FakeClock()
  const issuer = await TestIssuer.start(ca, clock)
  const { aws, close } = await startAws({ ca, clock, log: silentLog })
  aws.addOidcProvider({ accountId: ACCOUNT, issuer: issuer.url, clientIds: [AUDIENCE] })
  aws.addRole(ROLE, { trust: [{ issuer: issuer.url, subject: SUBJECT, audience: AUDIENCE }] })
  const dispatcher = new Agent({ connect: { ca: ca.pem } })

  async function send(
    { path = '/', method = 'POST' }: { path?: string; method?: 'GET' | 'POST' },
    headers: Record<string, string> = {},
    text?: string,
  ): Promise<Answer> {
    const answer = await request(`${aws.stsUrl}${path}`, {
      ...{ dispatcher, method, headers },
      ...(text !== undefined && { body: text }),
    })
    const body = await answer.body.text()
    const isJson = answer.headers['content-type'] === 'application/json'
    return {
      ...{ status: answer.statusCode, headers: answer.headers, text: body },
      body: isJson ? JSON.parse(body) : {},
    }
  }

  /** Assumes `ROLE`; `fields` replace or (undefined) remove parameters. Asks for JSON unless `headers` say otherwise. */
  function assume(
    token: string,
    fields: Readonly<Record<string, string | undefined>> = {},
    headers: Record<string, string> = { accept: 'application/json' },
  ): Promise<Answer> {
    const parameters = new URLSearchParams()
    const all = {
      ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleArn: ROLE },
      ...{ RoleSessionName: 'ns.app-0', WebIdentityToken: token, ...fields },
    }
    for (const [name, value] of Object.entries(all)) if (value !== undefined) parameters.set(name, value)
    const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', ...headers }
    return send({}, form, parameters.toString())
  }

  /** A token that `ROLE` trusts, with these claims on top. */
  function token(claims: Record<string, unknown> = {}): Promise<string> {
    return issuer.token({ aud: [AUDIENCE], ...claims })
  }

  return {
    ...{ ca, clock, issuer, aws, send, assume, token },
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      await close()
      await issuer[Symbol.asyncDispose]()
    },
  }
}
