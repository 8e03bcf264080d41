import { table } from '../../src/cli/demo-table.ts'
import type { Finding, Unit } from './finding.ts'

const DECIMALS: Readonly<Record<Unit, number>> = {
  x: 2,
  'per CPU-s': 0,
  ms: 3,
  s: 2,
  MiB: 1,
  calls: 0,
  errors: 0,
}

/** The findings as a table for a terminal. */
export function findingsTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ what, unit, value, values, goal, met }) => {
    const figure = (of: number) => of.toFixed(DECIMALS[unit])
    return [
      what,
      figure(value),
      unit,
      values.length > 1 ? `${figure(Math.min(...values))} - ${figure(Math.max(...values))}` : '',
      goal === undefined ? '' : 'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`,
      met === undefined ? '' : met ? 'met' : 'MISSED',
    ]
  })
  return table(['MEASURED', 'MEDIAN', 'UNIT', 'RANGE', 'GOAL', 'VERDICT'], rows, new Set(['MEDIAN']))
}
