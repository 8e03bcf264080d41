import type { DemoCloud } from './demo-pods.ts'
import type { DemoRow } from './demo-rows.ts'
import { table } from './demo-table.ts'

const HEADINGS = [
  'POD',
  'SOURCE IP',
  'CLOUD',
  'IDENTITY',
  'CREDENTIAL',
  'EXPIRES IN',
  'COLD MS',
  'WARM MS',
] as const
const CLOUDS: Readonly<Record<DemoCloud, string>> = { google: 'Google', aws: 'AWS', azure: 'Azure' }

/**
 * The demo's table, what the refused were told, and what the columns mean.
 *
 * @param latencyMs what a call of a cloud costs
 */
export function demoReport(rows: readonly DemoRow[], latencyMs: number): string {
  const refused = rows.filter((row) => row.refused !== undefined)
  const cells = rows.map((row) => [
    row.pod,
    row.ip,
    CLOUDS[row.cloud],
    shortened(row.identity) ?? '(unknown)',
    row.credential ?? `refused (${refused.indexOf(row) + 1})`,
    row.expiresIn === undefined ? '-' : `${row.expiresIn} s`,
    row.coldMs.toFixed(0),
    row.warmMs?.toFixed(1) ?? '-',
  ])
  const refusals = refused.map((row, i) => `(${i + 1}) ${row.pod} got ${row.refused}`)
  return `
${table(HEADINGS, cells, new Set(['EXPIRES IN', 'COLD MS', 'WARM MS']))}
${refusals.join('\n').replaceAll(/^(?!\()/gm, '    ')}

Every credential was obtained for that pod alone: its service-account token was exchanged with the sandbox's Google, AWS
or Azure, which verified its signature and decided. IDENTITY is whom that cloud knows the credential as. COLD is the pod's
very first request, sent the moment it was created, at ${latencyMs} ms per call of a cloud; WARM is the next one. Every request is a
connection of its own, and IMDSv2 of AWS takes three: session token, role name, credentials.
`
}

/** A federated principal's name is longer than the rest of its row. */
function shortened(identity: string | undefined): string | undefined {
  return identity?.replace(/^principal:.*\/subject\/system:serviceaccount:(.+):(.+)$/, 'federated, as $1/$2')
}
