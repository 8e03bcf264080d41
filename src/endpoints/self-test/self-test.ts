import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { SelfTestStatus } from '../../lib/interception-report.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { type SelfTestFinding, selfTestFindings } from '../../lib/self-test-findings.ts'
import type { SelfTestExpectation, SelfTestGreeting } from '../../lib/self-test-greeting.ts'
import type { ProbeReport } from '../../lib/self-test-report.ts'

/** What the self-test is made of. */
export interface SelfTestOptions {
  readonly node: string
  readonly expected: SelfTestExpectation
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** What became of a report. */
export type Acceptance = 'accepted' | 'too soon' | 'mixed'

/** A report is good for so many of the probe's intervals. */
const STALE_INTERVALS = 5
const MIN_GAP_MS = 1_000
/**
 * A probe's round takes some seconds, and an update may fall into it: then a part of its answers is the predecessor's. So
 * long after the probe was first seen here, such reports count for nothing; later ones are an alarm.
 */
const HANDOVER_MS = 30_000

/** Whether pods of this node reach this daemon and nothing else, by the reports of the probe. Not known until one came. */
export class SelfTest {
  readonly greeting: SelfTestGreeting
  readonly #options: SelfTestOptions
  #seenAt: number | undefined
  #reportedAt: number | undefined
  #findings: readonly SelfTestFinding[] = []
  #stale = false
  #timer: Timer | undefined
  #stopped = false

  constructor(options: SelfTestOptions) {
    this.#options = options
    const { node, expected } = options
    this.greeting = { instance: randomBytes(16).toString('hex'), node, expected }
  }

  /** A probe of this node has asked for the greeting. */
  seen(): void {
    this.#seenAt ??= this.#options.clock.now()
  }

  /** Takes the report of a probe of this node. */
  accept({ intervalSeconds, outcomes }: ProbeReport): Acceptance {
    const { clock, metrics } = this.#options
    this.seen()
    const now = clock.now()
    if (this.#reportedAt !== undefined && Math.abs(now - this.#reportedAt) < MIN_GAP_MS) return 'too soon'
    const { instance, expected } = this.greeting
    const mixed = outcomes.some((it) => it.result === 'self' && it.instance !== instance)
    // A daemon that has been told to stop has a successor.
    if (this.#stopped || (mixed && now - this.#seenAt! < HANDOVER_MS)) return 'mixed'

    const before = this.status
    this.#reportedAt = now
    this.#findings = selfTestFindings(expected, instance, outcomes)
    this.#stale = false
    for (const { kind } of this.#findings) metrics.interceptionFindings.inc({ kind })
    this.#show(before)
    this.#timer?.cancel()
    this.#timer = clock.after(STALE_INTERVALS * intervalSeconds * 1000, () => this.#expire())
    return 'accepted'
  }

  get status(): SelfTestStatus {
    const proved = this.#reportedAt !== undefined && !this.#stale && this.#findings.length === 0
    return { proved, reportedAt: this.#reportedAt, stale: this.#stale, findings: this.#findings }
  }

  /** No report counts any more: pods are answered by the successor. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #expire(): void {
    this.#stale = true
    this.#options.metrics.interceptionProved.set(0)
    this.#options.log.warn(
      { reportedAt: this.#reportedAt },
      'interception is not proved any more: no reports',
    )
  }

  #show(before: SelfTestStatus): void {
    const { log, metrics } = this.#options
    const { proved, findings } = this.status
    metrics.interceptionProved.set(proved ? 1 : 0)
    if (proved && !before.proved) log.info({}, 'interception is proved')
    const messages = findings.map(({ message }) => message)
    const told = before.findings.map(({ message }) => message)
    if (messages.length > 0 && messages.join('\n') !== told.join('\n')) {
      log.warn({ findings: messages }, 'interception has gaps')
    }
  }
}
