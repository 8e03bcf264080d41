import type * as v from 'valibot'
import type { Config } from './config.ts'
import { deepFreeze } from './deep-freeze.ts'
import { distillAws } from './distill-aws.ts'
import { distillAzure } from './distill-azure.ts'
import type { configSchema } from './schema.ts'

/** From what the schema lets through to what the daemon uses. */
export function distill(raw: v.InferOutput<typeof configSchema>): Config {
  return deepFreeze<Config>({
    // `nodeName` of load-config.ts gives one where the operator does not.
    node: { name: raw.node.name!, startupTaint: raw.node.startupTaint },
    cluster: { name: raw.cluster.name, location: raw.cluster.location, uid: raw.cluster.uid },
    kubernetes: { kubeconfig: raw.kubernetes.kubeconfig, context: raw.kubernetes.context },
    subjectToken: {
      source: raw.subjectToken.source,
      kubeletRoot: raw.subjectToken.kubeletRoot,
      expirationSeconds: raw.subjectToken.expiration / 1_000,
    },
    caller: {
      proof: raw.caller.proof,
      sandboxedRuntimes: raw.caller.sandboxedRuntimes,
      procRoot: raw.caller.procRoot,
      cgroupRoot: raw.caller.cgroupRoot,
      confirmWithinMs: raw.caller.confirmWithin,
      serveUnconfirmed: raw.caller.serveUnconfirmed,
    },
    google: raw.google && distillGoogle(raw.google),
    aws: raw.aws && distillAws(raw.aws),
    azure: raw.azure && distillAzure(raw.azure),
    rules: raw.rules.map(({ namespace, serviceAccount, identity, allow }) => ({
      namespace,
      serviceAccount,
      identity,
      allow,
    })),
    credentials: {
      prefetch: raw.credentials.prefetch,
      maxPerPod: raw.credentials.maxPerPod,
      refusalTtlMs: raw.credentials.refusalTtl,
    },
    listen: {
      metadata: raw.listen.metadata,
      containerCredentials: raw.listen.containerCredentials,
      admin: raw.listen.admin,
      health: raw.listen.health,
      drainMs: raw.listen.drain,
    },
    intercept: raw.intercept,
    limits: raw.limits,
    stateDir: raw.stateDir,
    upstream: { caFile: raw.upstream.caFile, proxy: raw.upstream.proxy },
    log: raw.log,
  })
}

function distillGoogle(
  raw: NonNullable<v.InferOutput<typeof configSchema>['google']>,
): NonNullable<Config['google']> {
  return {
    projectId: raw.projectId,
    projectNumber: raw.projectNumber,
    workloadIdentityProvider: raw.workloadIdentityProvider,
    identityNamespace: raw.identityNamespace,
    identityProvider: raw.identityProvider,
    subject: raw.subject,
    audience: raw.audience,
    universeDomain: raw.universeDomain,
    unannotated: raw.unannotated,
    scopes: [...new Set(raw.scopes)],
    endpoints: { sts: undefined, iamCredentials: undefined, ...raw.endpoints },
    passthrough: [...new Set(raw.passthrough)],
    hosts: [...new Set(raw.hosts)],
  }
}
