import { inspect } from 'node:util'
import type { Finding } from './scenario.ts'
import { type Row, table } from './table.ts'
import { verdict } from './verdict.ts'

/** Scenarios to run, one after the other. */
export interface Rows {
  readonly names: readonly string[]
  readonly run: (name: string) => Promise<Finding>
  /** Begins no further scenario once it is aborted. */
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/**
 * Runs scenarios, says how each ended, and prints their table and as the last line `N passed, N failed, N skipped`.
 *
 * @returns whether every row is as it must be
 */
export async function runRows({ names, run, signal, say }: Rows): Promise<boolean> {
  const rows: Row[] = []
  for (const name of names) {
    if (signal.aborted) break
    const startedAt = performance.now()
    const row = await run(name).then(
      (finding) => ({ name, finding, error: undefined }),
      (err: unknown) => ({
        name,
        finding: undefined,
        error: err instanceof Error ? err.stack : inspect(err),
      }),
    )
    const seconds = (performance.now() - startedAt) / 1_000
    say(`${name}: ${row.error === undefined ? 'done' : 'failed'} (${seconds.toFixed(0)} s)`)
    rows.push({ ...row, seconds })
  }
  if (rows.length > 0) process.stdout.write(`${table(rows)}\n`)
  for (const complaint of rows.flatMap(verdict)) say(complaint)
  const passed = rows.filter((row) => verdict(row).length === 0).length
  process.stdout.write(`${passed} passed, ${names.length - passed} failed, 0 skipped\n`)
  return passed === names.length
}
