import type { Config, GoogleConfig, ListenAddress } from '../config/config.ts'

/** What the configuration means, a line each, for an operator who is about to use it. */
export function configSummary(config: Config): string[] {
  const { caller, credentials, google, limits, listen, subjectToken } = config
  return [
    `node ${config.node.name}; pods are answered at ${listen.metadata.map(spelled).join(', ')}, the operator at ${spelled(listen.admin)}`,
    caller.confirmWithinMs === 0
      ? 'every new connection is confirmed by a read of the API server'
      : `a pod not confirmed for ${caller.confirmWithinMs / 1_000} s is confirmed by a read of the API server`,
    caller.serveUnconfirmed
      ? 'pods that cannot be confirmed are served all the same (caller.serveUnconfirmed)'
      : 'pods that cannot be confirmed are refused until they can be',
    `Kubernetes tokens: ${subjectToken.source}, ${subjectToken.expirationSeconds} s`,
    ...(google ? googleSummary(google) : []),
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
    google.passthrough.length === 0
      ? "Google: nothing is asked of the node's own metadata server"
      : `Google: asked of the node's own metadata server: ${google.passthrough.join(', ')}`,
  ]
}

function rulesSummary({ rules }: Config): string {
  if (rules.length === 0) return 'rules: none, so every pod may use the identity its ServiceAccount names'
  return `rules: ${rules.length}; what none of them matches is refused`
}

function spelled({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
