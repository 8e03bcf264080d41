import type { ConfigProblem } from './config-error.ts'
import type { Settings } from './settings.ts'

/** What no key alone can tell: sections that lack something, and keys that exclude each other. */
export function checkCombinations(settings: Omit<Settings, 'problems'>): ConfigProblem[] {
  const { values, sections } = settings
  const problems: ConfigProblem[] = []
  const report: Report = (key, message, suggestion) => {
    const section = sections.get(key.split('.', 1)[0]!)
    problems.push({ key, source: values.get(key)?.source ?? section ?? 'configuration', message, suggestion })
  }
  checkListeners(settings, report)
  const clouds = ['google', 'aws', 'azure'].filter((cloud) => sections.has(cloud))
  if (clouds.length === 0) {
    report(
      'google',
      'is missing, as are aws and azure, and without a cloud there is nothing to answer',
      'add one of the sections, or set --google-project-id, --aws-region or --azure-tenant-id',
    )
  }
  if (sections.has('google')) checkGoogle(values, report)
  if (sections.has('aws') && !values.has('aws.region')) {
    report('aws.region', 'is required', 'for example aws.region: eu-west-1')
  }
  if (sections.has('azure') && !values.has('azure.tenantId')) {
    report('azure.tenantId', 'is required', 'set the ID of the tenant whose applications pods are')
  }
  return problems
}

type Report = (key: string, message: string, suggestion: string) => void

function checkListeners({ values, sections }: Omit<Settings, 'problems'>, report: Report): void {
  const mode = values.get('intercept.mode')?.value ?? 'none'
  if (mode !== 'none' && values.has('listen.metadata')) {
    report(
      'listen.metadata',
      `has no meaning with intercept.mode: ${String(mode)}, which has addresses of its own`,
      'remove it',
    )
  }
  const containers = [values.get('listen.containerCredentials')?.value ?? []].flat()
  if (containers.length > 0 && !sections.has('aws')) {
    report('listen.containerCredentials', 'answers with credentials of AWS only', 'add the section aws')
  }
  if (
    mode !== 'none' &&
    containers.length > 0 &&
    values.get('intercept.keepPodIdentityAgent')?.value === true
  ) {
    report(
      'intercept.keepPodIdentityAgent',
      'leaves to the agent what listen.containerCredentials wants to answer',
      'remove one of the two',
    )
  }
  const known = ['169.254.170.23:80', '[fd00:ec2::23]:80', '169.254.170.2:80']
  if (mode === 'none' || containers.every((address) => known.includes(String(address)))) return
  report(
    'listen.containerCredentials',
    `must be of ${known.join(', ')} with intercept.mode: ${String(mode)}`,
    'write those that SDKs are to find',
  )
}

function checkGoogle(values: Settings['values'], report: Report): void {
  const has = (key: string) => values.has(`google.${key}`)
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
}
