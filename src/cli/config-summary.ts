import type { AwsConfig, AzureConfig, Config, GoogleConfig, ListenAddress } from '../config/config.ts'

/** What the configuration means, a line each, for an operator who is about to use it. */
export function configSummary(config: Config): string[] {
  const { aws, azure, caller, credentials, google, intercept, limits, listen, subjectToken } = config
  const pods =
    intercept.mode === 'none'
      ? `pods are answered at ${listen.metadata.map(spelled).join(', ')}`
      : `packets of pods are intercepted (${intercept.mode})`
  return [
    `node ${config.node.name}; ${pods}, the operator at ${spelled(listen.admin)}`,
    caller.confirmWithinMs === 0
      ? 'every new connection is confirmed by a read of the API server'
      : `a pod not confirmed for ${caller.confirmWithinMs / 1_000} s is confirmed by a read of the API server`,
    caller.serveUnconfirmed
      ? 'pods that cannot be confirmed are served all the same (caller.serveUnconfirmed)'
      : 'pods that cannot be confirmed are refused until they can be',
    `Kubernetes tokens: ${subjectToken.source}, ${subjectToken.expirationSeconds} s`,
    ...(google ? googleSummary(google) : []),
    ...(aws ? awsSummary(aws, listen.containerCredentials) : []),
    ...(azure ? azureSummary(azure) : []),
    rulesSummary(config),
    `limits: ${limits.connectionsPerPod} connections and ${credentials.maxPerPod} credentials a pod, ${limits.connections} connections in all`,
  ]
}

function googleSummary(google: GoogleConfig): string[] {
  const trust =
    google.workloadIdentityProvider === undefined
      ? `the identity namespace ${google.identityNamespace}`
      : `the provider ${google.workloadIdentityProvider}`
  return [
    `Google: project ${google.projectId}, trusted through ${trust}`,
    google.unannotated === 'federate'
      ? 'Google: a ServiceAccount without annotation gets a federated token of its own'
      : 'Google: a ServiceAccount without annotation gets no token',
    passedThrough('Google', google.passthrough),
  ]
}

function awsSummary(aws: AwsConfig, containers: readonly ListenAddress[]): string[] {
  const { region, audience, sessionSeconds, imdsV1, passthrough } = aws
  return [
    `AWS: region ${region}, tokens for ${audience}, role sessions of ${sessionSeconds} s, IMDSv1 ${imdsV1 ? 'answered too' : 'refused'}`,
    containers.length === 0
      ? 'AWS: no container credentials'
      : `AWS: container credentials at ${containers.map(spelled).join(', ')}`,
    passedThrough('AWS', passthrough),
  ]
}

function azureSummary({ tenantId, cloud, strictClientId, passthrough }: AzureConfig): string[] {
  return [
    `Azure: tenant ${tenantId} in the cloud ${cloud}`,
    strictClientId
      ? 'Azure: a pod gets tokens of its annotated application only'
      : 'Azure: a pod may name another application, whose federated credentials decide',
    passedThrough('Azure', passthrough),
  ]
}

function passedThrough(cloud: string, paths: readonly string[]): string {
  return paths.length === 0
    ? `${cloud}: nothing is asked of the node's own metadata server`
    : `${cloud}: asked of the node's own metadata server: ${paths.join(', ')}`
}

function rulesSummary({ rules }: Config): string {
  if (rules.length === 0) return 'rules: none, so every pod may use the identity its ServiceAccount names'
  return `rules: ${rules.length}; what none of them matches is refused`
}

function spelled({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
