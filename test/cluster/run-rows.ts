import { inspect } from 'node:util'
import type { Finding } from './scenario.ts'
import { type Row, table } from './table.ts'
import { TooSlow } from './too-slow.ts'
import { verdict } from './verdict.ts'

/** Scenarios to run, one after the other. */
export interface Rows {
  readonly names: readonly string[]
  /** @param attempt 1, or 2 for one that is tried again */
  readonly run: (name: string, attempt: number) => Promise<Finding>
  /** Begins no further scenario once it is aborted. */
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/**
 * Runs scenarios, says how each ended, and prints their table and as the last line `N passed, N failed, N skipped`.
 *
 * Clients, real ones with their own patience, give up on a machine that is starved: a scenario that was too slow, or has failures and
 * nothing worse, is run once more at the end. What is wrong at all, an identity above all, is never forgiven.
 *
 * @returns whether every row is as it must be
 */
export async function runRows({ names, run, signal, say }: Rows): Promise<boolean> {
  const rows = new Map<string, Row>()
  async function attempt(name: string, number: number): Promise<void> {
    const startedAt = performance.now()
    const row = await run(name, number).then(
      (finding) => ({ name, finding, error: undefined, tooSlow: false }),
      (err: unknown) => ({
        name,
        finding: undefined,
        error: inspect(err),
        tooSlow: err instanceof TooSlow,
      }),
    )
    const seconds = (performance.now() - startedAt) / 1_000
    rows.set(name, { ...row, seconds })
    const complaints = verdict({ ...row, seconds })
    say(`${name}: ${complaints.length === 0 ? 'done' : 'failed'} (${seconds.toFixed(0)} s)`)
    for (const complaint of complaints) say(complaint)
  }

  for (const name of names) if (!signal.aborted) await attempt(name, 1)
  for (const { name } of [...rows.values()].filter(isSlow)) {
    if (signal.aborted) break
    say(`${name} once more`)
    await attempt(name, 2)
  }

  const all = [...rows.values()]
  if (all.length > 0) process.stdout.write(`${table(all)}\n`)
  const passed = all.filter((row) => verdict(row).length === 0).length
  process.stdout.write(`${passed} passed, ${names.length - passed} failed, 0 skipped\n`)
  return passed === names.length
}

function isSlow({ finding, tooSlow }: Row): boolean {
  return finding === undefined ? tooSlow : finding.failures > 0 && finding.wrongIdentities === 0
}
