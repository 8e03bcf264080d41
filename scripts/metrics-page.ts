import { createMetrics } from '../src/lib/metrics.ts'

/** docs/metrics.md, made from the registry. */
export function metricsPage(): string {
  const metrics = createMetrics().registry.getMetricsAsArray() as unknown as readonly {
    readonly name: string
    readonly help: string
    readonly type: string
    readonly labelNames: readonly string[]
  }[]
  return [
    '# Metrics',
    '',
    '<!-- Made from the registry by `npm run docs`. -->',
    '',
    'Served as Prometheus text at `/metrics` of `listen.admin`. Labels take few, fixed values: never an address, a pod, a path or an',
    'e-mail. An `outcome` is `ok` or a code of [errors.md](errors.md).',
    '',
    '| name | type | labels | what it is |',
    '|---|---|---|---|',
    ...metrics.map(({ name, type, labelNames, help }) => {
      const labels = labelNames.filter((label) => label !== 'le').map((label) => `\`${label}\``)
      return `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`
    }),
    '',
    '## Worth an alert',
    '',
    '| what | expression |',
    '|---|---|',
    '| The daemon can not answer | `metadatad_ready == 0` for 5 minutes |',
    '| What it knows of the cluster is old | `metadatad_watch_staleness_seconds > 120` |',
    '| A cloud refuses pods | `rate(metadatad_credentials_obtained_total{outcome="EXCHANGE_REFUSED"}[10m]) > 0` |',
    '| Renewals fail | `rate(metadatad_credentials_obtained_total{reason="renewal",outcome!="ok"}[10m]) > 0` |',
    '| Two pods claim one address | `rate(metadatad_identifications_total{outcome="CALLER_AMBIGUOUS"}[10m]) > 0` |',
    '| Something asks for raw instance metadata | `rate(metadatad_blocked_total[10m]) > 0` |',
    '',
  ].join('\n')
}
