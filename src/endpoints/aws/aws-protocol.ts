import type { KeyObject } from 'node:crypto'
import type { Caller } from '../../caller/caller.ts'
import type { Credentials } from '../../credentials/credentials.ts'
import type { Clock } from '../../lib/clock.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { Answer } from '../answer.ts'
import { credentialEnded } from '../credential-ended.ts'
import type { Passthrough } from '../passthrough.ts'
import type { PodRequest } from '../pod-request.ts'
import type { Protocol } from '../protocol.ts'
import { isReboundHost } from '../rebound-host.ts'
import { createAwsCallers } from './aws-callers.ts'
import { awsErrorAnswer } from './aws-error-answer.ts'
import type { AwsFacts, AwsFactValues, AwsPipeline, RoleSession } from './aws-pipeline.ts'
import { type AwsTarget, awsTarget } from './aws-target.ts'
import { type AwsRoute, ec2Page, ec2Text } from './ec2-answer.ts'
import { metadataValues } from './metadata-values.ts'
import { credentialsDocument, identityDocument, profileDocument } from './role-documents.ts'
import { type SessionToken, SessionTokens } from './session-tokens.ts'

/** What the AWS endpoint is made of. */
export interface AwsProtocolOptions {
  readonly pipeline: AwsPipeline
  readonly credentials: Credentials
  readonly facts: AwsFacts
  readonly config: {
    /** Answer without a session token too. */
    readonly imdsV1: boolean
  }
  /** See `loadTokenKey`. */
  readonly tokenKey: KeyObject
  readonly passthrough?: Passthrough | undefined
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Go gives up after 500 ms. */
const HOLD_MS = 450
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds'
const MAX_TTL_SECONDS = 21_600
/** What EC2's resolver calls the metadata server. */
const NAMES = ['instance-data', 'instance-data.ec2.internal']

/** The instance metadata service of EC2, versions 1 and 2, with each pod's own role. */
export function createAwsProtocol(options: AwsProtocolOptions): Protocol {
  const { pipeline, credentials, facts, passthrough, clock, log, metrics } = options
  const { imdsV1 } = options.config
  const callers = createAwsCallers(pipeline)
  const tokens = new SessionTokens(options.tokenKey)
  const blocked = metrics.blocked.labels('aws')
  let values: { of: AwsFactValues; answers: ReadonlyMap<string, Answer> } | undefined

  const notFound = ec2Page('none', 404, 'Not Found')
  const badTtl = ec2Page('token', 400, 'Bad Request')
  const wrongHost = ec2Page('none', 403, 'Forbidden')
  const onlyPut = ec2Page('token', 405, 'Method Not Allowed', undefined, ['Allow', 'PUT'])
  const onlyGet = ec2Page('none', 405, 'Method Not Allowed', undefined, ['Allow', 'GET, HEAD'])
  // Nothing but 401 makes SDKs take a new token: after 403, 404 or 405 they go on without one for good.
  const unauthorized = ec2Text('none', 401, '')

  function failure(route: AwsRoute, thrown: unknown): Answer {
    if (!(thrown instanceof MetadatadError)) log.error({ err: thrown, route }, 'request failed unexpectedly')
    return awsErrorAnswer(route, thrown, clock.now())
  }

  /** From what is known now: SDKs that wait for this in vain go on without tokens, some for good. */
  function issue(request: PodRequest): Answer {
    const ttls = request.header(TTL_HEADER)
    const ttl = ttls.length === 1 && /^\d{1,5}$/.test(ttls[0]!) ? Number(ttls[0]) : 0
    if (ttl < 1 || ttl > MAX_TTL_SECONDS) return badTtl
    const caller = request.session.current()
    request.caller = caller
    const { remoteAddress } = request.connection
    const token = tokens.issue(remoteAddress, caller?.pod.uid, ttl, request.receivedAt)
    return ec2Text('token', 200, token, ['X-aws-ec2-metadata-token-ttl-seconds', String(ttl)])
  }

  /** Undefined for none, false for a bad one. */
  function presented(request: PodRequest): SessionToken | undefined | false {
    if (!request.headers.awsToken) return undefined
    const sent = request.header('x-aws-ec2-metadata-token')
    if (sent.length !== 1) return false
    return tokens.read(sent[0]!, request.connection.remoteAddress, request.receivedAt) ?? false
  }

  function value({ path }: AwsTarget, request: PodRequest): Answer | Promise<Answer> {
    // The operator wants the real value, also of what would be known here.
    if (passthrough?.allows(request.path)) return passthrough.answer(request)
    const current = facts.current()
    if (values?.of !== current) values = { of: current, answers: metadataValues(current) }
    const known = values.answers.get(path)
    if (known !== undefined) return known
    blocked.inc()
    return notFound
  }

  /** Undefined if the credential is not there yet. May throw `IDENTITY_*`. */
  function ready(
    target: AwsTarget,
    request: PodRequest,
    caller: Caller,
  ): Answer | Promise<Answer> | undefined {
    switch (target.route) {
      case 'role':
        return ec2Text('role', 200, callers.of(caller).identity.roleName)
      case 'info':
        return ec2Text('info', 200, profileDocument(callers.of(caller).identity, caller.pod))
      case 'document':
        return ec2Text('document', 200, identityDocument(facts.current(), accountOf(caller)))
      case 'credentials': {
        const { identity, spec, holder } = callers.of(caller)
        if (target.role !== identity.roleName) return notFound
        const session = credentials.peek(spec, holder)
        return session && render(session, target.extended === true)
      }
      default:
        return value(target, request)
    }
  }

  /** The document has a region whoever asks, and an account only for pods with a role. */
  function accountOf(caller: Caller): string | undefined {
    try {
      return callers.of(caller).identity.accountId
    } catch (thrown) {
      if (thrown instanceof MetadatadError) return undefined
      throw thrown
    }
  }

  function render(session: RoleSession, extended: boolean): Answer | undefined {
    if (session.expiresAt - clock.now() < 1000) return undefined
    return ec2Text('credentials', 200, credentialsDocument(session, extended))
  }

  async function wait(
    target: AwsTarget,
    request: PodRequest,
    token: SessionToken | undefined,
  ): Promise<Answer> {
    using deadline = request.hold(clock, HOLD_MS)
    try {
      const caller = request.session.current() ?? (await request.session.identify(deadline))
      request.caller = caller
      if (token?.belongsTo(caller.pod) === false) return unauthorized
      const answer = await ready(target, request, caller)
      if (answer !== undefined) return answer
      const { spec, holder } = callers.of(caller)
      const session = await credentials.get(spec, holder, deadline)
      const late = render(session, target.extended === true)
      if (late === undefined) throw credentialEnded()
      return late
    } catch (thrown) {
      return failure(target.route, thrown)
    }
  }

  return {
    name: 'aws',
    forwarded: ec2Page('none', 403, 'Forbidden'),
    malformed: ec2Page('none', 400, 'Bad Request'),
    owns: (path, headers) => (path === '/' ? headers.awsToken : awsTarget(path) !== undefined),
    handle(request) {
      if (isReboundHost(request.headers.host, NAMES)) return wrongHost
      const target = awsTarget(request.path) ?? { route: 'value', path: request.path }
      if (target.route === 'token') return request.method === 'PUT' ? issue(request) : onlyPut
      if (request.method !== 'GET' && request.method !== 'HEAD') return onlyGet
      const token = presented(request)
      if (token === false || (token === undefined && !imdsV1)) return unauthorized
      // Without a token, what is the same for every pod needs nobody to be known.
      if (token === undefined && target.route === 'value') return value(target, request)
      const caller = request.session.current()
      if (caller === undefined) return wait(target, request, token)
      request.caller = caller
      if (token?.belongsTo(caller.pod) === false) return unauthorized
      try {
        return ready(target, request, caller) ?? wait(target, request, token)
      } catch (thrown) {
        return failure(target.route, thrown)
      }
    },
    failure: (thrown) => awsErrorAnswer('none', thrown, clock.now()),
  }
}
