import type { Finding } from './scenario.ts'

const COLUMNS = ['scenario', 'operations', 'failures', 'wrong identities', 'API calls'] as const

/** A scenario that was run: what it found, or why it failed. */
export interface Row {
  readonly name: string
  readonly seconds: number
  readonly finding: Finding | undefined
  readonly error: string | undefined
  /** It failed because it took too long, and for nothing else that is known. */
  readonly tooSlow: boolean
}

/** The table for people: one line a scenario, with its note below it. */
export function table(rows: readonly Row[]): string {
  const width = Math.max(...COLUMNS.map(({ length }) => length), ...rows.map(({ name }) => name.length))
  const head = [COLUMNS[0].padEnd(width), ...COLUMNS.slice(1)]
  return [head.join('  '), ...rows.map((row) => line(row, width))].join('\n')
}

function line({ name, finding, error, seconds }: Row, width: number): string {
  if (finding === undefined) return `${name.padEnd(width)}  FAILED: ${error}`
  const { operations, failures, wrongIdentities, apiCalls, note } = finding
  const cells = [operations, failures, wrongIdentities, apiCalls ?? '-'].map((count, i) =>
    String(count).padStart(COLUMNS[i + 1]!.length),
  )
  return `${[name.padEnd(width), ...cells].join('  ')}\n    ${note} (${seconds.toFixed(0)} s)`
}
