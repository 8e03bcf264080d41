import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { CertificateAuthority } from '../certificate-authority.ts'
import { Issued } from '../issued.ts'
import { issuerAgent } from '../issuer-agent.ts'
import { IssuerKeys } from '../issuer-keys.ts'
import { sendJson } from '../send-json.ts'
import { type ServiceCall, startService } from '../service.ts'
import { SigningKeys } from '../signing-keys.ts'
import { AzureControls } from './azure-controls.ts'
import { Directory } from './directory.ts'
import { EntraError } from './entra-error.ts'
import { isGuid } from './is-guid.ts'
import { issueToken } from './issue-token.ts'
import { openidConfiguration } from './openid-configuration.ts'
import { renderError } from './render-error.ts'
import type { AzureTokenInfo, SandboxAzure } from './sandbox-azure.ts'

/** What {@link startAzure} needs. */
export interface AzureOptions {
  /** Signs the service's certificate, and those of the token issuers it asks. */
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly log: Log
  /** The address to listen on; 127.0.0.1 unless said. */
  readonly host?: string | undefined
}

const TOKEN = /^\/([^/]{1,253})\/oauth2\/v2\.0\/token$/i
const OPENID = /^\/([^/]{1,253})\/(v2\.0\/\.well-known\/openid-configuration|discovery\/v2\.0\/keys)$/i
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store, no-cache',
  pragma: 'no-cache',
}

/**
 * Starts Entra's token endpoint, `POST /TENANT/oauth2/v2.0/token`, with the discovery document and keys of its own tokens
 * beside it: its URL is an origin, without a path.
 */
export async function startAzure({
  ca,
  clock,
  log,
  host,
}: AzureOptions): Promise<{ readonly azure: SandboxAzure; close(): Promise<void> }> {
  const directory = new Directory()
  const tokens = new Issued<AzureTokenInfo>({ clock })
  const azure = new AzureControls({ directory, tokens })
  const dispatcher = issuerAgent(ca)
  const issuerKeys = new IssuerKeys({ clock, dispatcher, onFetch: () => azure.count('jwks') })
  const keys = await SigningKeys.create()
  const lifetime = () => azure.tokenLifetimeSeconds
  const issue = { clock, directory, tokens, keys, lifetime, verifier: { clock, keys: issuerKeys } }

  const service = await startService({
    ...{ name: 'entra', ca, clock, log, host, controls: azure },
    callName(method, { pathname }) {
      if (method === 'POST' && TOKEN.test(pathname)) return 'token'
      return method === 'GET' && OPENID.test(pathname) ? 'openid' : 'unknown'
    },
    async handler(call) {
      if (call.name === 'unknown') return sendJson(call.response, 404, '', { 'content-type': 'text/html' })
      const answer = await act(call).then(
        (body) => ({ status: 200, headers: {}, body }),
        (error: unknown) => {
          if (!(error instanceof EntraError)) throw error
          const sent = call.request.headers['client-request-id']?.toString() ?? ''
          const correlationId = isGuid(sent) ? sent : undefined
          return renderError(error, { now: clock.now(), correlationId, authorityUrl: azure.authorityUrl })
        },
      )
      sendJson(call.response, answer.status, answer.body, { ...HEADERS, ...answer.headers })
    },
  })
  azure.attach(service)

  async function act({ name, url, request, text }: ServiceCall): Promise<object> {
    if (name === 'openid') {
      const [, tenant = '', document] = OPENID.exec(url.pathname) ?? []
      if (document?.endsWith('keys')) return keys.jwks
      directory.requireTenant(segment(tenant))
      return openidConfiguration(azure.authorityUrl, tenant)
    }
    const failure = azure.takeFailure()
    if (failure !== undefined) throw new EntraError(failure)
    const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(
      request.headers['content-type'] ?? '',
    )
    const tenant = segment(TOKEN.exec(url.pathname)?.[1] ?? '')
    return issueToken(issue, tenant, new URLSearchParams(isForm ? text : ''))
  }

  return {
    azure,
    async close() {
      await Promise.all([service.close(), dispatcher.destroy()])
    },
  }
}

/** A path segment without its escapes; empty, which names no tenant, where they are malformed. */
function segment(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
