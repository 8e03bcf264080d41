import { deliverReport } from '../intercept/probe/deliver-report.ts'
import { type ProbeRound, runProbe } from '../intercept/probe/run-probe.ts'
import { systemClock } from '../lib/clock.ts'
import { createLog } from '../lib/log.ts'
import { type SelfTestFinding, selfTestFindings } from '../lib/self-test-findings.ts'
import { sleep } from '../lib/sleep.ts'
import type { CliIo } from './cli-io.ts'
import { table } from './demo-table.ts'
import { prettySink } from './pretty-sink.ts'

/** What the command line says. */
export interface InterceptProbeOptions {
  /** End after one round, and show it. */
  readonly once: boolean
  readonly intervalMs: number
  readonly output: 'text' | 'json'
}

/** What one round found, and whether the daemon knows it. */
interface Result extends ProbeRound {
  readonly findings: readonly SelfTestFinding[]
  /** Why the daemon did not take the report; undefined if it did. */
  readonly undelivered: string | undefined
}

/** A pod's first requests may come before the daemon knows the pod, or before there is a daemon. */
const FIRST_ROUNDS = 3
const RETRY_MS = 1_000
const WITHOUT_DAEMON = { mode: 'none', captured: ['169.254.169.254'], allow: [], exempt: [] } as const

/**
 * `metadatad intercept probe`: tries what a pod reaches at the metadata addresses, and reports it to the daemon of its
 * node, again and again. It needs no configuration: the daemon tells what should be found. With `once` it shows one round.
 *
 * @returns the exit code: 0; with `once` 1 if something is wrong or the daemon did not take the report
 */
export async function interceptProbe(options: InterceptProbeOptions, io: CliIo): Promise<number> {
  if (options.once) return await once(options, io)
  const log = createLog('info', options.output === 'text' ? prettySink(io.stdout) : io.stdout)
  log.info({ intervalSeconds: options.intervalMs / 1000 }, 'probing')
  let told = ''
  let failures = 0
  for (;;) {
    const { greeting, findings, undelivered } = await round(options, io)
    if (io.signal.aborted) return 0
    // While an update is under way the answers are of two daemons, and no gap.
    const judged = undelivered === undefined || greeting === undefined
    const messages = judged ? findings.map(({ message }) => message) : []
    const news = JSON.stringify([messages, undelivered])
    if (news !== told) {
      if (undelivered !== undefined) log.warn({ reason: undelivered }, 'report not delivered')
      if (messages.length > 0) log.warn({ findings: messages }, 'interception has gaps')
      else if (undelivered === undefined) log.info({}, 'interception is proved')
    }
    told = news
    failures = undelivered === undefined ? 0 : failures + 1
    const retryMs = RETRY_MS * 2 ** Math.min(failures, 10)
    await sleep(systemClock, Math.min(options.intervalMs, failures > 0 ? retryMs : Infinity), io.signal)
    if (io.signal.aborted) return 0
  }
}

async function once(options: InterceptProbeOptions, io: CliIo): Promise<number> {
  let result = await round(options, io)
  for (let i = 1; i < FIRST_ROUNDS && result.undelivered !== undefined && !io.signal.aborted; i++) {
    await sleep(systemClock, RETRY_MS, io.signal)
    result = await round(options, io)
  }
  const ok = result.findings.length === 0 && result.undelivered === undefined
  io.stdout.write(
    options.output === 'json' ? `${JSON.stringify({ ok, ...result }, undefined, 2)}\n` : text(result),
  )
  return ok ? 0 : 1
}

async function round({ intervalMs }: InterceptProbeOptions, { signal }: CliIo): Promise<Result> {
  const parts = { clock: systemClock, signal }
  const probed = await runProbe(parts)
  const { greeting, outcomes } = probed
  const intervalSeconds = Math.ceil(intervalMs / 1000)
  const undelivered = await deliverReport({ intervalSeconds, outcomes }, parts)
  const findings = selfTestFindings(greeting?.expected ?? WITHOUT_DAEMON, greeting?.instance ?? '', outcomes)
  return { ...probed, findings, undelivered }
}

function text({ greeting, outcomes, findings, undelivered }: Result): string {
  const rows = outcomes.map(({ address, port, protocol, result, detail }) => {
    const finding = findings.find(
      (it) => it.address === address && it.port === port && it.protocol === protocol,
    )
    return [address, `${protocol}/${port}`, result, detail ?? '', finding?.kind ?? 'ok']
  })
  const lines = [
    table(['ADDRESS', 'PORT', 'RESULT', 'DETAIL', 'VERDICT'], rows, new Set()),
    ...findings.map(({ kind, message }) => `${kind}: ${message}\n`),
    greeting === undefined
      ? 'metadatad does not answer this pod as its probe\n'
      : `metadatad of node ${greeting.node}, mode ${greeting.expected.mode}\n`,
    undelivered === undefined ? 'report delivered\n' : `report not delivered: ${undelivered}\n`,
  ]
  return lines.join('')
}
