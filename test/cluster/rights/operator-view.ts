import { ask } from '../../support/ask.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'

/** What an operator sees of a daemon's rights. */
export interface OperatorView {
  readonly ready: boolean
  /** Lines of `/readyz` that warn. */
  readonly warnings: readonly string[]
  /** `VERB RESOURCE` that the metric says are missing. */
  readonly missing: readonly string[]
  /** Rights that the log says are missing, one for each line. */
  readonly logged: readonly string[]
}

/** Looks at `/readyz`, `/metrics` and the log. */
export async function operatorView({ adminUrl, logged }: ClusterDaemon): Promise<OperatorView> {
  // Each on a connection of its own: one that is kept may be ended by the server just as it is used again.
  const { host } = new URL(adminUrl)
  const [page, metrics] = await Promise.all([ask(host, '/readyz'), ask(host, '/metrics')])
  const lines = page.body.split('\n')
  const gauges = metrics.body.matchAll(/^metadatad_missing_rights\{verb="(.*)",resource="(.*)"\} 1$/gm)
  return {
    ready: page.status === 200,
    warnings: lines.filter((line) => line.startsWith('warning: ')),
    missing: [...gauges].map(([, verb, resource]) => `${verb} ${resource}`),
    logged: logged
      .filter(({ msg }) => msg === 'a right on the kubernetes api is missing')
      .map(({ verb, resource }) => `${verb} ${resource}`),
  }
}
