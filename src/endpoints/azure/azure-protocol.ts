import type { Credentials } from '../../credentials/credentials.ts'
import type { Clock } from '../../lib/clock.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { Answer } from '../answer.ts'
import type { Passthrough } from '../passthrough.ts'
import type { PodRequest } from '../pod-request.ts'
import type { Protocol } from '../protocol.ts'
import { isReboundHost } from '../rebound-host.ts'
import { API_VERSIONS } from './api-versions.ts'
import { createAzureCallers } from './azure-callers.ts'
import { azureErrorAnswer } from './azure-error-answer.ts'
import type { AzureFacts, AzurePipeline } from './azure-pipeline.ts'
import { imdsError, imdsJson } from './imds-answer.ts'
import { imdsQuery } from './imds-query.ts'
import { badApiVersion, instanceAnswer } from './instance-answer.ts'
import { AzureTokenAnswers } from './token-answers.ts'

/** What the Azure endpoint is made of. */
export interface AzureProtocolOptions {
  readonly pipeline: AzurePipeline
  readonly credentials: Credentials
  readonly facts: AzureFacts
  readonly passthrough?: Passthrough | undefined
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Only the first segment is the same in any case. */
const OURS = /^\/metadata(?:\/(.*?))?\/?$/i
const TOKEN = 'identity/oauth2/token'
/** MSAL.NET takes a 400 here for the newer protocol of certificates, whatever the headers. */
const NEVER_THERE: ReadonlySet<string> = new Set(['identity/getplatformmetadata', 'identity/issuecredential'])

/** The instance metadata service of Azure, with each pod's own application. */
export function createAzureProtocol(options: AzureProtocolOptions): Protocol {
  const { pipeline, credentials, facts, passthrough, clock, log, metrics } = options
  const blocked = metrics.blocked.labels('azure')

  const malformed = imdsError('none', 400, 'invalid_request', 'Malformed request')
  const notFound = imdsError('none', 404, 'not_found', 'Not found')
  const noHeader = imdsError('none', 400, 'invalid_request', 'Required metadata header not specified')
  const repeated = imdsError('none', 400, 'invalid_request', 'A query parameter is repeated')
  const onlyGet = imdsError('none', 405, 'method_not_allowed', 'Only GET is allowed', ['Allow', 'GET'])
  const versions = imdsJson('versions', 200, { apiVersions: API_VERSIONS })

  const tokens = new AzureTokenAnswers({
    callers: createAzureCallers(pipeline),
    credentials,
    clock,
    failure(thrown) {
      if (!(thrown instanceof MetadatadError)) log.error({ err: thrown }, 'request failed unexpectedly')
      return azureErrorAnswer('token', thrown)
    },
  })

  function denied(): Answer {
    blocked.inc()
    return notFound
  }

  function instance(below: string, request: PodRequest): Answer | Promise<Answer> {
    const query = imdsQuery(request.query)
    if (query === undefined) return repeated
    if (below === 'versions') return versions
    if (passthrough?.allows(request.path)) return passthrough.answer(request)
    const [first, ...path] = below.split('/')
    if (first === 'instance') return instanceAnswer(facts.current(), path, query) ?? denied()
    if (below !== 'identity/info') return denied()
    if (!query.has('api-version')) return badApiVersion
    return imdsJson('info', 200, { tenantId: facts.current().tenantId })
  }

  return {
    name: 'azure',
    forwarded: imdsError('none', 400, 'invalid_request', 'X-Forwarded-For is not allowed'),
    malformed,
    owns: (path) => OURS.test(path),
    handle(request) {
      if (isReboundHost(request.headers.host)) return malformed
      const below = OURS.exec(request.path)?.[1] ?? ''
      if (NEVER_THERE.has(below)) return denied()
      if (request.method !== 'GET') return onlyGet
      // SDKs find out by this one, without the header and in a second, whether they are on Azure.
      const flags = request.header('metadata')
      if (flags.length !== 1 || flags[0]!.toLowerCase() !== 'true') return noHeader
      return below === TOKEN ? tokens.answer(request) : instance(below, request)
    },
    failure: (thrown) => azureErrorAnswer('none', thrown),
  }
}
