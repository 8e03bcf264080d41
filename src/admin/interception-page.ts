import type { InterceptionReport } from '../lib/interception-report.ts'

/**
 * The JSON text of `GET /interception`: the report with ages, in seconds, in the place of times.
 *
 * @param now milliseconds since the epoch
 */
export function interceptionPage({ checkedAt, selfTest, ...rest }: InterceptionReport, now: number): string {
  const { reportedAt, ...status } = selfTest
  const age = (at: number | undefined) => (at === undefined ? undefined : Math.max(0, (now - at) / 1000))
  const page = {
    ...rest,
    checkedAgeSeconds: age(checkedAt),
    selfTest: { ...status, ageSeconds: age(reportedAt) },
  }
  return `${JSON.stringify(page, undefined, 2)}\n`
}
