import type { SelfTestFinding } from './self-test-findings.ts'

/** What the daemon knows of the interception from the probe's reports. */
export interface SelfTestStatus {
  /** A report that is not stale found nothing wrong. */
  readonly proved: boolean
  /** Milliseconds since the epoch; undefined before the first report. */
  readonly reportedAt: number | undefined
  /** No report has come for five of the probe's intervals. */
  readonly stale: boolean
  /** Of the last report. */
  readonly findings: readonly SelfTestFinding[]
}

/** How pods' packets arrive, as the daemon last read it: `GET /interception` of the admin address. */
export interface InterceptionReport {
  readonly mode: 'none' | 'redirect' | 'bind'
  /** When the kernel's state was last read, in milliseconds since the epoch; undefined in mode `none` and before it was. */
  readonly checkedAt: number | undefined
  /** New connections arrive at this daemon. */
  readonly claimed: boolean
  /** See `InterceptState`; undefined while there are no rules. */
  readonly generation: number | undefined
  /** Where new connections arrive, by what pods dial. */
  readonly ports: Readonly<Record<string, number>>
  /** Ports that a daemon serves, by what pods dial. */
  readonly served: Readonly<Record<string, readonly number[]>>
  readonly drift: readonly { readonly what: string; readonly message: string }[]
  readonly selfTest: SelfTestStatus
}
