import { Agent, request } from 'undici'
import { silentLog } from '../../../src/lib/log.ts'
import { startAzure } from '../../../src/sandbox/azure/start-azure.ts'
import { createCertificateAuthority } from '../../../src/sandbox/certificate-authority.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { TestIssuer } from '../test-issuer.ts'

export const TENANT = '11111111-2222-3333-4444-555555555555'
export const CLIENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
export const AUDIENCE = 'api://AzureADTokenExchange'
export const SUBJECT = 'system:serviceaccount:ns:app'
export const TOKEN_REQUEST: Readonly<Record<string, string>> = {
  grant_type: 'client_credentials',
  client_id: CLIENT,
  scope: 'https://vault.azure.net/.default',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
}

/** An answer of Entra. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // biome-ignore lint/suspicious/noExplicitAny: what a body holds is what the tests look at
  readonly body: any
}

/** Entra, one cluster that issues tokens, and the application `CLIENT` with a federated credential for `ns/app`. */
export async function startWorld() {
  const ca = await createCertificateAuthority()
  const clock = new FakeClock()
  const issuer = await TestIssuer.start(ca, clock)
  const { azure, close } = await startAzure({ ca, clock, log: silentLog })
  const credential = { issuer: issuer.url, subject: SUBJECT, audience: AUDIENCE }
  azure.addApplication({ tenantId: TENANT, clientId: CLIENT, federatedCredentials: [credential] })
  const dispatcher = new Agent({ connect: { ca: ca.pem } })

  async function send(
    path: string,
    method: 'GET' | 'POST' = 'GET',
    headers: Record<string, string> = {},
    text?: string,
  ): Promise<Answer> {
    const answer = await request(`${azure.authorityUrl}${path}`, {
      ...{ dispatcher, method, headers },
      ...(text !== undefined && { body: text }),
    })
    const body = await answer.body.text()
    return {
      ...{ status: answer.statusCode, headers: answer.headers },
      body: body === '' ? undefined : JSON.parse(body),
    }
  }

  /** Asks for a token; `fields` replace or (undefined) remove parameters. */
  function exchange(
    assertion: string,
    fields: Readonly<Record<string, string | undefined>> = {},
    { tenant = TENANT, headers = {} }: { tenant?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries({
      ...TOKEN_REQUEST,
      client_assertion: assertion,
      ...fields,
    })) {
      if (value !== undefined) parameters.set(name, value)
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded', ...headers }
    return send(`/${tenant}/oauth2/v2.0/token`, 'POST', form, parameters.toString())
  }

  /** A token that the application's credential matches, with these claims on top. */
  function assertion(claims: Record<string, unknown> = {}): Promise<string> {
    return issuer.token({ aud: [AUDIENCE], ...claims })
  }

  return {
    ...{ ca, clock, issuer, azure, credential, send, exchange, assertion },
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      await close()
      await issuer[Symbol.asyncDispose]()
    },
  }
}
