/** A right that the daemon uses, and what it is for. The same is told in docs/rights.md. */
export interface Right {
  /** An RBAC verb. */
  readonly verb: string
  /** An RBAC resource, with its subresource; a name of {@link KubernetesRequest} for a path that is no resource. */
  readonly resource: string
  readonly neededFor: string
  /** What the daemon does without it. */
  readonly without: string
  /** What the operator may do about it. */
  readonly mend: string
}

const GRANT = 'Grant it, as the ClusterRole metadatad of the manifests does.'
const GRANT_DISCOVERY = 'Bind the ClusterRole system:service-account-issuer-discovery to the daemon.'
const GRANT_TAINT = 'Grant it, as the component startup-taint does, or clear node.startupTaint.'

/** Every right that the daemon may use. */
export const RIGHTS: readonly Right[] = [
  {
    verb: 'list',
    resource: 'pods',
    neededFor: 'confirming an address, and the first list where the API server streams none',
    without: 'pods that the watch or the kernel shows are answered; callers that need a live read get 503',
    mend: GRANT,
  },
  {
    verb: 'watch',
    resource: 'pods',
    neededFor: 'knowing which pod has which address',
    without:
      'the daemon is not ready; where it is asked all the same, each new connection costs a list of pods',
    mend: GRANT,
  },
  {
    verb: 'get',
    resource: 'serviceaccounts',
    neededFor: 'ServiceAccounts that the watch has not shown yet',
    without: 'pods whose ServiceAccount the watch has shown are answered; others get 503 until it does',
    mend: GRANT,
  },
  {
    verb: 'list',
    resource: 'serviceaccounts',
    neededFor:
      'the first list of ServiceAccounts where the API server streams none, and confirming a quiet watch',
    without:
      'ServiceAccounts are read one by one: a changed annotation reaches running pods after half a minute; whether the API server has lost its store is not noticed',
    mend: GRANT,
  },
  {
    verb: 'watch',
    resource: 'serviceaccounts',
    neededFor: 'changes of ServiceAccounts',
    without:
      'ServiceAccounts are read one by one: a changed annotation reaches running pods after half a minute',
    mend: GRANT,
  },
  {
    verb: 'create',
    resource: 'serviceaccounts/token',
    neededFor: 'the tokens that clouds exchange',
    without:
      'credentials are refused (with subjectToken.source auto not to pods that mount a token); names, projects and zones are answered',
    mend: `${GRANT} Or set subjectToken.source to projected.`,
  },
  {
    verb: 'list',
    resource: 'nodes',
    neededFor:
      'zone, instance and host name where the API server streams no lists, and confirming a quiet watch',
    without: 'credentials are given out; zone, region and instance are answered from the configuration alone',
    mend: GRANT,
  },
  {
    verb: 'watch',
    resource: 'nodes',
    neededFor: 'zone, instance and host name of the node',
    without: 'credentials are given out; zone, region and instance are answered from the configuration alone',
    mend: GRANT,
  },
  {
    verb: 'create',
    resource: 'events',
    neededFor: 'telling the owner of a pod why it was refused',
    without: 'everything else works; refusals are in the log and in the answers to the pod',
    mend: GRANT,
  },
  {
    verb: 'patch',
    resource: 'events',
    neededFor: 'counting in an Event how often a pod was refused',
    without: 'everything else works; an Event tells of the first refusal alone',
    mend: GRANT,
  },
  {
    verb: 'get',
    resource: 'nodes',
    neededFor: 'removing the startup taint',
    without: 'pods are answered; the taint stays and keeps new ones away',
    mend: GRANT_TAINT,
  },
  {
    verb: 'patch',
    resource: 'nodes',
    neededFor: 'removing the startup taint',
    without: 'pods are answered; the taint stays and keeps new ones away',
    mend: GRANT_TAINT,
  },
  {
    verb: 'get',
    resource: 'openid-configuration',
    neededFor: 'verifying tokens that pods present for AWS container credentials',
    without: 'container credentials are refused; everything else works',
    mend: GRANT_DISCOVERY,
  },
  {
    verb: 'get',
    resource: 'jwks',
    neededFor: 'verifying tokens that pods present for AWS container credentials',
    without: 'container credentials are refused; everything else works',
    mend: GRANT_DISCOVERY,
  },
]
