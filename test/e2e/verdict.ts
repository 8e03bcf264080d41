import { SCENARIOS } from './scenarios.ts'
import type { Row } from './table.ts'

/** What of a row is not as it must be; empty if all is. */
export function verdict({ name, finding, error }: Row): string[] {
  if (finding === undefined) return [`${name}: ${error}`]
  const { requests, failures, packetsAtCloud, wrongIdentities } = finding
  const control = SCENARIOS.find((it) => it.name === name)?.control === true
  return [
    requests === 0 ? 'no request was made' : '',
    failures > 0 ? `${failures} requests failed: ${finding.note}` : '',
    wrongIdentities > 0 ? `${wrongIdentities} answers were another pod's` : '',
    packetsAtCloud > 0 && !control ? `${packetsAtCloud} packets of pods left the node` : '',
    packetsAtCloud === 0 && control ? 'the test bed does not leak: it could not show anything' : '',
  ]
    .filter((complaint) => complaint !== '')
    .map((complaint) => `${name}: ${complaint}`)
}
