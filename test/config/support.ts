import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts'
import { type ConfigSources, loadConfig } from '../../src/config/load-config.ts'

export const PROVIDER = 'projects/123/locations/global/workloadIdentityPools/pool/providers/cluster'

/** The least that is a configuration. */
export const MINIMAL = `google: {projectId: my-project, workloadIdentityProvider: ${PROVIDER}}\n`

/** Loads a file's text alone. */
export function loadText(text: string, sources: Partial<ConfigSources> = {}) {
  return loadConfig({ file: { name: 'c.yaml', text }, env: { NODE_NAME: 'node-1' }, flags: {}, ...sources })
}

/** What is wrong with it. */
export function problemsOf(text: string, sources: Partial<ConfigSources> = {}): readonly ConfigProblem[] {
  try {
    loadText(text, sources)
  } catch (err) {
    if (err instanceof ConfigError) return err.problems
    throw err
  }
  return []
}
