/**
 * Why Google should believe this cluster's service-account tokens.
 *
 * - `pool`: an OIDC provider of a workload identity pool
 *   (https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes).
 * - `namespace`: the identity namespace of GKE or a fleet, `PROJECT.svc.id.goog`, with the provider's URI in it.
 */
export type GoogleTrust = GooglePoolTrust | GoogleNamespaceTrust

/** See {@link GoogleTrust}. */
export interface GooglePoolTrust {
  readonly kind: 'pool'
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`. */
  readonly provider: string
  /** An audience the provider allows; its own full name, which it allows by default, unless said otherwise. */
  readonly audience?: string | undefined
  /**
   * What the provider's attribute mapping makes `google.subject`: a text in which `{namespace}` and `{serviceAccount}` are
   * replaced. `system:serviceaccount:{namespace}:{serviceAccount}` unless said otherwise (`google.subject=assertion.sub`).
   */
  readonly subject?: string | undefined
}

/** See {@link GoogleTrust}. */
export interface GoogleNamespaceTrust {
  readonly kind: 'namespace'
  /** `PROJECT.svc.id.goog`. */
  readonly identityNamespace: string
  /** The URI the identity namespace knows this cluster by, `https://gkehub.googleapis.com/…` or `https://container.googleapis.com/…`. */
  readonly identityProvider: string
  /** The number of the identity namespace's project; without it there is no principal identifier to show as e-mail. */
  readonly projectNumber?: string | undefined
}

/** A Kubernetes ServiceAccount by name. */
export interface ServiceAccountName {
  readonly namespace: string
  readonly serviceAccount: string
}

const DEFAULT_SUBJECT = 'system:serviceaccount:{namespace}:{serviceAccount}'

/** The `audience` that Google STS is asked with. */
export function stsAudience(trust: GoogleTrust): string {
  return trust.kind === 'pool'
    ? `//iam.googleapis.com/${trust.provider}`
    : `identitynamespace:${trust.identityNamespace}:${trust.identityProvider}`
}

/** The audience that the pod's service-account token must have been issued for. */
export function subjectTokenAudience(trust: GoogleTrust): string {
  return trust.kind === 'pool' ? (trust.audience ?? stsAudience(trust)) : trust.identityNamespace
}

/** The ServiceAccount as an IAM policy binding spells it. */
export function iamMember(trust: GoogleTrust, name: ServiceAccountName): string {
  return trust.kind === 'pool'
    ? poolPrincipal(trust, name)
    : `serviceAccount:${trust.identityNamespace}[${name.namespace}/${name.serviceAccount}]`
}

/** The name of the workload identity pool: what GKE's metadata server shows as the e-mail of a ServiceAccount with no annotation. */
export function poolName(trust: GoogleTrust): string {
  return trust.kind === 'pool'
    ? poolPath(trust).slice(poolPath(trust).lastIndexOf('/') + 1)
    : trust.identityNamespace
}

/**
 * The ServiceAccount's principal identifier, `principal://iam.googleapis.com/…/subject/…`; undefined for an identity
 * namespace whose project number is not known.
 */
export function principalIdentifier(trust: GoogleTrust, name: ServiceAccountName): string | undefined {
  if (trust.kind === 'pool') return poolPrincipal(trust, name)
  if (trust.projectNumber === undefined) return undefined
  const pool = `projects/${trust.projectNumber}/locations/global/workloadIdentityPools/${trust.identityNamespace}`
  return `principal://iam.googleapis.com/${pool}/subject/ns/${name.namespace}/sa/${name.serviceAccount}`
}

function poolPrincipal(trust: GooglePoolTrust, name: ServiceAccountName): string {
  const subject = (trust.subject ?? DEFAULT_SUBJECT).replaceAll(
    /\{(namespace|serviceAccount)\}/g,
    (_, part) => (part === 'namespace' ? name.namespace : name.serviceAccount),
  )
  return `principal://iam.googleapis.com/${poolPath(trust)}/subject/${subject}`
}

function poolPath(trust: GooglePoolTrust): string {
  const end = trust.provider.indexOf('/providers/')
  return end < 0 ? trust.provider : trust.provider.slice(0, end)
}
