import type { ConfigProblem } from './config-error.ts'
import type { Settings } from './settings.ts'

/** What no key alone can tell: sections that lack something, and keys that exclude each other. */
export function checkCombinations({ values, sections }: Omit<Settings, 'problems'>): ConfigProblem[] {
  const google = sections.get('google')
  const problems: ConfigProblem[] = []
  const has = (key: string) => values.has(`google.${key}`)
  const report = (key: string, message: string, suggestion: string) => {
    const source = values.get(key)?.source ?? google ?? 'configuration'
    problems.push({ key, source, message, suggestion })
  }

  const mode = values.get('intercept.mode')?.value ?? 'none'
  if (mode !== 'none' && values.has('listen.metadata')) {
    report(
      'listen.metadata',
      `has no meaning with intercept.mode: ${String(mode)}, which has addresses of its own`,
      'remove it',
    )
  }
  if (google === undefined) {
    report(
      'google',
      'is missing, and without a cloud there is nothing to answer',
      'add the section, or set --google-project-id',
    )
    return problems
  }
  if (!has('projectId')) report('google.projectId', 'is required', 'for example google.projectId: my-project')
  if (has('workloadIdentityProvider') && (has('identityNamespace') || has('identityProvider'))) {
    const other = has('identityNamespace') ? 'google.identityNamespace' : 'google.identityProvider'
    report(
      other,
      'excludes google.workloadIdentityProvider',
      'keep the one kind of trust that the cluster has',
    )
  } else if (has('identityNamespace') && !has('identityProvider')) {
    report(
      'google.identityProvider',
      'is required with google.identityNamespace',
      'set the URI that the identity namespace knows the cluster by',
    )
  } else if (has('identityProvider') && !has('identityNamespace')) {
    report(
      'google.identityNamespace',
      'is required with google.identityProvider',
      'for example google.identityNamespace: my-project.svc.id.goog',
    )
  } else if (!has('workloadIdentityProvider') && !has('identityNamespace')) {
    report(
      'google.workloadIdentityProvider',
      'is required, unless google.identityNamespace and google.identityProvider are set',
      'name the provider that trusts this cluster, projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
    )
  }
  if (has('subject') && has('identityNamespace')) {
    report(
      'google.subject',
      'has no meaning with google.identityNamespace, whose subjects are fixed',
      'remove it',
    )
  }
  return problems
}
