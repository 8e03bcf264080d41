import type { Caller } from '../../caller/caller.ts'
import type { Credentials } from '../../credentials/credentials.ts'
import type { Clock } from '../../lib/clock.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { Answer } from '../answer.ts'
import { createAwsCallers } from '../aws/aws-callers.ts'
import type { AwsPipeline, RoleSession } from '../aws/aws-pipeline.ts'
import { credentialEnded } from '../credential-ended.ts'
import { isoSeconds } from '../iso-seconds.ts'
import type { PodRequest } from '../pod-request.ts'
import type { Protocol } from '../protocol.ts'
import { containerError, containerJson } from './container-answer.ts'
import { containerErrorAnswer } from './container-error-answer.ts'

/** What the container credentials endpoint is made of. */
export interface ContainerCredentialsOptions {
  readonly pipeline: AwsPipeline
  readonly credentials: Credentials
  /**
   * Verifies a presented service-account token; whose it is is compared here.
   * @throws MetadatadError `REQUEST_INVALID`, `KUBERNETES_*`
   */
  readonly verify: (
    jwt: string,
    signal: AbortSignal,
  ) => Promise<{ readonly podUid: string; readonly serviceAccountUid: string }>
  /** Answer without a token where pods dial 169.254.170.2 (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`). */
  readonly relativeUri: boolean
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** botocore gives up after 2 s, Java after 1 s. */
const HOLD_MS = 900
const RELATIVE_ADDRESS = '169.254.170.2'
/** A web page's own name, pointed at the address, is in the `Host` header of the requests it makes: it is none of these. */
const RELATIVE_HOST = /^169\.254\.170\.2(?::\d{1,5})?$/

/**
 * The endpoint of the container credential providers, as EKS Pod Identity has it, on a listener of its own. The presented
 * token is a second proof and never the first: it must be of the very pod that the connection comes from.
 */
export function createContainerCredentialsProtocol(options: ContainerCredentialsOptions): Protocol {
  const { pipeline, credentials, verify, relativeUri, clock, log, metrics } = options
  const callers = createAwsCallers(pipeline)
  const blocked = metrics.blocked.labels('container-credentials')

  const notFound = containerError('none', 404, 'NotFound', 'There is nothing but /v1/credentials.')
  const onlyGet = containerError('none', 405, 'MethodNotAllowed', 'Only GET is allowed.', ['Allow', 'GET'])
  const noToken = containerError(
    'credentials',
    400,
    'MissingToken',
    'The Authorization header is missing. Set AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE to a projected service account token of this pod, and use an SDK that knows it.',
  )
  const notBare = containerError(
    'credentials',
    400,
    'InvalidToken',
    'The Authorization header must be the service account token alone, once, without a scheme such as Bearer.',
  )
  const anothers = containerError(
    'credentials',
    403,
    'AccessDenied',
    'The service account token in the Authorization header is not of this pod, or its ServiceAccount was made anew since.',
  )

  function failure(thrown: unknown): Answer {
    if (!(thrown instanceof MetadatadError)) log.error({ err: thrown }, 'request failed unexpectedly')
    return containerErrorAnswer('credentials', thrown)
  }

  function needsNoToken({ connection, headers }: PodRequest): boolean {
    return (
      relativeUri &&
      connection.dialled.some(({ address }) => address === RELATIVE_ADDRESS) &&
      RELATIVE_HOST.test(headers.host ?? '')
    )
  }

  async function answer(request: PodRequest, jwt: string | undefined): Promise<Answer> {
    using deadline = request.hold(clock, HOLD_MS)
    try {
      const token = jwt === undefined ? undefined : await verify(jwt, deadline.signal)
      const caller = request.session.current() ?? (await request.session.identify(deadline))
      request.caller = caller
      if (token !== undefined && !isOf(token, caller)) return anothers
      const { spec, holder } = callers.of(caller)
      const session = credentials.peek(spec, holder) ?? (await credentials.get(spec, holder, deadline))
      return render(session, clock.now())
    } catch (thrown) {
      return failure(thrown)
    }
  }

  return {
    name: 'container-credentials',
    forwarded: containerError('none', 403, 'AccessDenied', 'Requests with X-Forwarded-For are refused.'),
    malformed: containerError('none', 400, 'InvalidRequest', 'The request is malformed.'),
    owns: () => true,
    handle(request) {
      if (request.path !== '/v1/credentials' && request.path !== '/v1/credentials/') {
        blocked.inc()
        return notFound
      }
      if (request.method !== 'GET') return onlyGet
      const [jwt, ...more] = request.header('authorization')
      if (jwt === undefined) return needsNoToken(request) ? answer(request, undefined) : noToken
      if (more.length > 0 || jwt.includes(' ')) return notBare
      return answer(request, jwt)
    },
    failure: (thrown) => containerErrorAnswer('none', thrown),
  }
}

function isOf(
  token: { podUid: string; serviceAccountUid: string },
  { pod, serviceAccount }: Caller,
): boolean {
  return token.podUid === pod.uid && token.serviceAccountUid === serviceAccount.uid
}

/** @throws MetadatadError `CALLER_NOT_READY` for a session that has just ended */
function render(session: RoleSession, now: number): Answer {
  if (session.expiresAt - now < 1000) throw credentialEnded()
  return containerJson('credentials', 200, {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey.reveal(),
    Token: session.sessionToken.reveal(),
    AccountId: session.accountId,
    Expiration: isoSeconds(session.expiresAt),
  })
}
