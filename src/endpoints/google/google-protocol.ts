import type { Credentials } from '../../credentials/credentials.ts'
import type { Clock } from '../../lib/clock.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { Passthrough } from '../passthrough.ts'
import type { PodRequest } from '../pod-request.ts'
import type { Protocol } from '../protocol.ts'
import { errorAnswer } from './error-answer.ts'
import { type GoogleAnswer, type GoogleRoute, googleAnswer, googleError, TEXT } from './google-answer.ts'
import { createGoogleCallers } from './google-callers.ts'
import type { GoogleFacts, GooglePipeline } from './google-pipeline.ts'
import { createHostCheck } from './host-check.ts'
import { LongPolls } from './long-polls.ts'
import { TokenAnswers } from './token-answers.ts'
import { TreeAnswers } from './tree-answers.ts'

/** What the Google endpoint is made of. */
export interface GoogleProtocolOptions {
  readonly pipeline: GooglePipeline
  readonly credentials: Credentials
  readonly facts: GoogleFacts
  /** Names or addresses, without ports, that pods may use besides Google's own and the listener's address. */
  readonly hosts?: readonly string[] | undefined
  readonly passthrough?: Passthrough | undefined
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** SDKs that never repeat a request still wait this long on any Google path (Go's `universe-domain`: 1 s). */
const HOLD_MS = 900

const ACCOUNTS = '/computeMetadata/v1/instance/service-accounts/'

/**
 * The metadata server of Google Cloud as GKE shows it to pods, with the parts of Compute Engine's that clients use:
 * ETags, long polls, redirects.
 */
export function createGoogleProtocol(options: GoogleProtocolOptions): Protocol {
  const { pipeline, credentials, facts, passthrough, clock, log, metrics } = options
  const polls = new LongPolls({ clock, total: 1024, perAddress: 32 })
  const unsubscribe = facts.onChange(() => polls.wake())
  const callers = createGoogleCallers(pipeline)
  const knownHost = createHostCheck(options.hosts ?? [])
  const failure = (route: GoogleRoute, thrown: unknown): GoogleAnswer => {
    if (!(thrown instanceof MetadatadError)) log.error({ err: thrown, route }, 'request failed unexpectedly')
    return errorAnswer(route, thrown)
  }
  const shared = { callers, pipeline, clock, metrics, holdMs: HOLD_MS, failure }
  const tokens = new TokenAnswers({ ...shared, credentials })
  const tree = new TreeAnswers({ ...shared, facts, polls, defaultScopes: pipeline.defaultScopes })

  const root = googleAnswer('root', 200, TEXT, 'computeMetadata/\n')
  const noFlavor = googleError(
    'none',
    403,
    'GKE Metadata Server encountered an error: Missing required header "Metadata-Flavor": "Google"',
  )
  const wrongHost = googleError('none', 403, 'The Host header names no metadata server.')
  const wrongMethod = googleError('none', 405, 'Only GET and HEAD are allowed.', ['Allow', 'GET, HEAD'])
  const noWait = googleError('none', 400, 'Invalid Request')

  return {
    name: 'google',
    forwarded: googleError('none', 403, 'Requests with X-Forwarded-For are refused.'),
    malformed: googleError('none', 400, 'Invalid Request'),
    // `/` is Google's as whatever is nobody's: AWS takes it where the request says so.
    owns: (path) => path.startsWith('/computeMetadata'),
    handle(request: PodRequest) {
      const { method, path, headers, connection } = request
      if (!knownHost(headers.host, connection.localAddress)) return wrongHost
      if (method !== 'GET' && method !== 'HEAD') return wrongMethod
      // Libraries decide by this one, without the header too, whether they are on Google Cloud at all.
      if (path === '/') return root
      if (!headers.googleFlavor) return noFlavor
      if (path.startsWith(ACCOUNTS)) {
        const slash = path.indexOf('/', ACCOUNTS.length)
        const leaf = slash < 0 ? '' : path.slice(slash + 1)
        if (leaf === 'token' || leaf === 'identity') {
          if (asksToWait(request.query)) return noWait
          return tokens.answer(leaf, path.slice(ACCOUNTS.length, slash), request)
        }
      } else if (passthrough?.allows(path)) {
        return passthrough.answer(request)
      }
      return tree.answer(request)
    },
    failure: (thrown) => errorAnswer('none', thrown),
    close() {
      unsubscribe()
      polls.close()
    },
  }
}

function asksToWait(query: string): boolean {
  return (
    query.includes('wait_for_change') &&
    new URLSearchParams(query).get('wait_for_change')?.toLowerCase() === 'true'
  )
}
