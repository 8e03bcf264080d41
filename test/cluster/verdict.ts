import type { Row } from './table.ts'

/** What of a row is not as it must be; empty if all is. */
export function verdict({ name, finding, error }: Row): string[] {
  if (finding === undefined) return [`${name}: ${error}`]
  const { operations, failures, wrongIdentities, note } = finding
  return [
    operations === 0 ? 'nothing was done' : '',
    failures > 0 ? `${failures} failed: ${note}` : '',
    wrongIdentities > 0 ? `${wrongIdentities} answers were another pod's` : '',
  ]
    .filter((complaint) => complaint !== '')
    .map((complaint) => `${name}: ${complaint}`)
}
