import type { Caller } from '../../caller/caller.ts'
import type { Clock } from '../../lib/clock.ts'
import { SELF_TEST_PATH } from '../../lib/self-test-greeting.ts'
import { MAX_REPORT_BYTES, parseReport } from '../../lib/self-test-report.ts'
import { type Answer, answer } from '../answer.ts'
import type { PodRequest } from '../pod-request.ts'
import type { Protocol } from '../protocol.ts'
import type { SelfTest } from './self-test.ts'

/** What the protocol is made of. */
export interface SelfTestProtocolOptions {
  readonly selfTest: SelfTest
  /** `namespace/name` of the ServiceAccount whose pods are believed. */
  readonly probe: string
  /** Answers everybody else, as it answers any path that it does not know. */
  readonly fallback: Protocol
  readonly clock: Clock
}

const HOLD_MS = 900

/**
 * The reserved path of the self-test. `GET` gives the greeting, `POST` takes a report: both only from a pod of this node
 * that is known to be the probe. Nobody else learns that the path exists.
 */
export function createSelfTestProtocol(options: SelfTestProtocolOptions): Protocol {
  const { selfTest, fallback, clock } = options
  const greeting = json(200, selfTest.greeting)
  const invalid = json(400, { error: 'no report, or a part of one' })
  const acceptances = {
    mixed: json(409, { error: 'another instance has answered too' }),
    'too soon': json(429, { error: 'one report a second is enough' }, ['Retry-After', '1']),
  }

  const isProbe = ({ serviceAccount }: Caller) =>
    `${serviceAccount.namespace}/${serviceAccount.name}` === options.probe

  async function callerOf(request: PodRequest): Promise<Caller | undefined> {
    const current = request.session.current()
    if (current !== undefined) return current
    using deadline = request.hold(clock, HOLD_MS)
    return await request.session.identify(deadline).catch(() => undefined)
  }

  async function answerProbe(request: PodRequest, body: Promise<string | undefined>): Promise<Answer> {
    const caller = await callerOf(request)
    if (caller === undefined || !isProbe(caller)) return fallback.handle(request)
    request.caller = caller
    if (request.method === 'GET') {
      selfTest.seen()
      return greeting
    }
    const report = parseReport((await body) ?? '')
    if (report === undefined) return invalid
    // Whoever turned invalid meanwhile is asked for again by the server, and nothing of it is believed before.
    if (!caller.valid) return invalid
    const acceptance = selfTest.accept(report)
    return acceptance === 'accepted' ? json(200, selfTest.status) : acceptances[acceptance]
  }

  return {
    name: 'self-test',
    forwarded: fallback.forwarded,
    malformed: fallback.malformed,
    owns: (path) => path === SELF_TEST_PATH,
    handle(request) {
      const posted = request.method === 'POST'
      if (!posted && request.method !== 'GET') return fallback.handle(request)
      const known = request.session.current()
      if (known !== undefined && !isProbe(known)) return fallback.handle(request)
      return answerProbe(request, posted ? request.body(MAX_REPORT_BYTES) : Promise.resolve(''))
    },
    failure: (thrown) => fallback.failure(thrown),
    close: () => selfTest.stop(),
  }
}

function json(status: number, value: unknown, headers: readonly string[] = []): Answer {
  return answer('self-test', status, 'application/json', `${JSON.stringify(value)}\n`, [
    'Server',
    'metadatad',
    'Cache-Control',
    'no-store',
    ...headers,
  ])
}
