import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { CertificateAuthority } from '../certificate-authority.ts'
import { Issued } from '../issued.ts'
import { issuerAgent } from '../issuer-agent.ts'
import { IssuerKeys } from '../issuer-keys.ts'
import { sendJson } from '../send-json.ts'
import { type ServiceCall, startService } from '../service.ts'
import { assumeRole } from './assume-role.ts'
import { AwsControls } from './aws-controls.ts'
import { callerIdentity } from './caller-identity.ts'
import { Iam } from './iam.ts'
import { type AnswerTree, renderAnswer, renderError } from './render-answer.ts'
import type { AwsSessionInfo, SandboxAws } from './sandbox-aws.ts'
import { StsError } from './sts-error.ts'

/** What {@link startAws} needs. */
export interface AwsOptions {
  /** Signs the service's certificate, and those of the token issuers it asks. */
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly log: Log
  /** The address to listen on; 127.0.0.1 unless said. */
  readonly host?: string | undefined
}

const VERSION = '2011-06-15'

/** Starts AWS's Security Token Service: its URL is an origin, without a path. */
export async function startAws({
  ca,
  clock,
  log,
  host,
}: AwsOptions): Promise<{ readonly aws: SandboxAws; close(): Promise<void> }> {
  const iam = new Iam()
  const sessions = new Issued<AwsSessionInfo>({ clock })
  const aws = new AwsControls({ iam, sessions })
  const dispatcher = issuerAgent(ca)
  const keys = new IssuerKeys({ clock, dispatcher, onFetch: () => aws.count('jwks') })
  const assumption = { clock, iam, sessions, verifier: { clock, keys } }

  const service = await startService({
    ...{ name: 'aws sts', ca, clock, log, host, controls: aws },
    callName: (_method, url, body) => callName(url, (body as { Action?: unknown } | undefined)?.Action),
    async handler(call) {
      const json = /\bapplication\/json\b/i.test(call.request.headers.accept ?? '')
      const form = { json, requestId: randomUUID() }
      const parameters = parametersOf(call)
      const answer = await act(call, parameters).then(
        (result) => renderAnswer(parameters.get('Action') ?? '', result, form),
        (error: unknown) => {
          if (error instanceof StsError) return renderError(error, form)
          throw error
        },
      )
      sendJson(call.response, answer.status, answer.body, answer.headers)
    },
  })
  aws.attach(service)

  async function act(
    { name, request, url, text }: ServiceCall,
    parameters: URLSearchParams,
  ): Promise<AnswerTree> {
    const action = parameters.get('Action')
    if (action === null) throw new StsError('MissingAction')
    const version = parameters.get('Version') ?? 'NO_VERSION_SPECIFIED'
    if (name === 'unknown' || version !== VERSION) {
      const operation = `${action.slice(0, 100)} for version ${version.slice(0, 100)}`
      throw new StsError('InvalidAction', `Could not find operation ${operation}`)
    }
    if (name === 'getCallerIdentity') {
      const { method = 'POST', headers } = request
      return callerIdentity(sessions, { method, url, headers, body: text })
    }
    const failure = aws.takeFailure()
    if (failure !== undefined) throw new StsError(failure)
    return assumeRole(assumption, parameters)
  }

  return {
    aws,
    async close() {
      await Promise.all([service.close(), dispatcher.destroy()])
    },
  }
}

function callName(url: URL, action: unknown): string {
  if (url.pathname !== '/') return 'unknown'
  switch (action ?? url.searchParams.get('Action')) {
    case 'AssumeRoleWithWebIdentity':
      return 'assumeRoleWithWebIdentity'
    case 'GetCallerIdentity':
      return 'getCallerIdentity'
    default:
      return 'unknown'
  }
}

/** The Query API takes its parameters from the query string, or from the form in the body. */
function parametersOf({ request, url, body }: ServiceCall): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')
  return isForm && body !== undefined ? new URLSearchParams(body as Record<string, string>) : url.searchParams
}
