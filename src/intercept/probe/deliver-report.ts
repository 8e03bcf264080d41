import type { Clock } from '../../lib/clock.ts'
import { deadlineIn } from '../../lib/deadline.ts'
import { SELF_TEST_PATH } from '../../lib/self-test-greeting.ts'
import type { ProbeReport } from '../../lib/self-test-report.ts'
import { httpExchange } from './http-exchange.ts'

const DELIVER_MS = 3_000

/**
 * Gives the daemon the report, at the first metadata address that it answered at (169.254.169.254 is tried first).
 *
 * @returns why it did not take it, in words for a log; undefined if it did
 */
export async function deliverReport(
  report: ProbeReport,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const reached = report.outcomes.find(({ result }) => result === 'self')
  if (reached === undefined) return 'no metadata address was answered by metadatad'
  using deadline = deadlineIn(options.clock, DELIVER_MS, options.signal)
  const { status, errorCode } = await httpExchange(
    { address: reached.address, port: reached.port, path: SELF_TEST_PATH, post: JSON.stringify(report) },
    deadline.signal,
  )
  if (status === 200) return undefined
  if (status === 409) return 'another instance has answered too: an update seems to be under way'
  return status === undefined ? `no answer: ${errorCode ?? 'timed out'}` : `HTTP ${status}`
}
