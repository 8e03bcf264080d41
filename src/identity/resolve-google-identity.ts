import type { ServiceAccount } from '../kubernetes/types.ts'
import { checkNamespace } from './check-namespace.ts'
import type { GoogleIdentity } from './google-identity.ts'
import { type GoogleTrust, iamMember, poolName, principalIdentifier } from './google-trust.ts'
import { identityError } from './identity-error.ts'
import { invalidAnnotation } from './invalid-annotation.ts'
import { refusedByRule } from './refused-by-rule.ts'
import type { IdentityRules } from './rules.ts'
import { isServiceAccountEmail } from './service-account-email.ts'

const EMAIL_ANNOTATION = 'iam.gke.io/gcp-service-account'
const PRINCIPAL_ANNOTATION = 'iam.gke.io/return-principal-id-as-email'
const QUOTA_ANNOTATION = 'iam.gke.io/credential-quota-project'

/** A project's ID, domain-scoped (`example.com:proj`) or not, or its number; it becomes the value of a header. */
const PROJECT = /^[a-z0-9][a-z0-9.:-]{0,126}[a-z0-9]$/

/** What the operator decided about Google identities. */
export interface GoogleIdentityOptions {
  readonly trust: GoogleTrust
  /** What a ServiceAccount without `iam.gke.io/gcp-service-account` gets: the federated identity, or nothing. */
  readonly unannotated: 'federate' | 'refuse'
}

/** Finds which Google identity a pod has. Costs no I/O; meant to be asked again whenever a fact may have changed. */
export interface GoogleIdentityResolver {
  /**
   * @param pod the calling pod; its namespace must be the ServiceAccount's
   * @param serviceAccount the pod's ServiceAccount with its annotations as of now
   * @throws MetadatadError `IDENTITY_NONE`, `IDENTITY_INVALID` (an annotation that can't be meant), `IDENTITY_REFUSED`
   */
  resolve(
    pod: { readonly namespace: string; readonly name?: string },
    serviceAccount: ServiceAccount,
  ): GoogleIdentity
}

/**
 * Resolves the three annotations that GKE's metadata server knows
 * (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity), then asks the operator's rules.
 */
export function createGoogleIdentityResolver(
  options: GoogleIdentityOptions,
  rules: IdentityRules,
): GoogleIdentityResolver {
  const { trust, unannotated } = options

  return {
    resolve(pod, serviceAccount) {
      checkNamespace(pod, serviceAccount)
      const name = { namespace: serviceAccount.namespace, serviceAccount: serviceAccount.name }
      const { annotations } = serviceAccount
      const member = iamMember(trust, name)
      const serviceAccountEmail = annotations[EMAIL_ANNOTATION]
      const quotaProject = annotations[QUOTA_ANNOTATION]
      if (serviceAccountEmail !== undefined && !isServiceAccountEmail(serviceAccountEmail)) {
        throw invalidAnnotation(
          EMAIL_ANNOTATION,
          serviceAccountEmail,
          'the e-mail of a Google service account, in lower case',
        )
      }
      if (quotaProject !== undefined && !PROJECT.test(quotaProject)) {
        throw invalidAnnotation(QUOTA_ANNOTATION, quotaProject, 'the ID or number of a Google Cloud project')
      }
      if (serviceAccountEmail === undefined && unannotated === 'refuse') {
        throw identityError(
          'IDENTITY_NONE',
          'service account has no google identity',
          `ServiceAccount ${name.namespace}/${name.serviceAccount} has no Google identity. Annotate it with ${EMAIL_ANNOTATION}: NAME@PROJECT.iam.gserviceaccount.com.`,
        )
      }
      const identities = serviceAccountEmail === undefined ? ['federated', member] : [serviceAccountEmail]
      if (!rules({ ...name, identities })) {
        const refused = `Google identity ${serviceAccountEmail ?? member}`
        throw refusedByRule('google', `${name.namespace}/${name.serviceAccount}`, refused)
      }
      const principal =
        annotations[PRINCIPAL_ANNOTATION] === 'true' ? principalIdentifier(trust, name) : undefined
      return {
        cloud: 'google',
        serviceAccountEmail,
        quotaProject,
        email: serviceAccountEmail ?? principal ?? poolName(trust),
        member,
      }
    },
  }
}
