import { table } from '../../src/cli/demo-table.ts'
import { type Finding, goalMet } from './finding.ts'

/** The findings as a table for a terminal. */
export function findingsTable(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const met = goalMet(finding)
    return [
      finding.what,
      `${figure(finding, finding.value)} ${finding.unit}`,
      goal(finding),
      met === undefined ? '' : met ? 'met' : 'MISSED',
      finding.values.length > 1 ? finding.values.map((value) => figure(finding, value)).join(' ') : '',
    ]
  })
  return `\n${table(['MEASURED', 'MEDIAN', 'GOAL', 'VERDICT', 'EACH'], rows, new Set(['MEDIAN', 'GOAL']))}`
}

function goal(finding: Finding): string {
  if (finding.goal === undefined) return ''
  return 'atLeast' in finding.goal ? `>= ${finding.goal.atLeast}` : `<= ${finding.goal.atMost}`
}

const DECIMALS: Readonly<Record<Finding['unit'], number>> = {
  x: 2,
  'per CPU-s': 0,
  ms: 3,
  s: 2,
  MiB: 1,
  calls: 0,
  errors: 0,
}

function figure({ unit }: Finding, value: number): string {
  return value.toFixed(DECIMALS[unit])
}
