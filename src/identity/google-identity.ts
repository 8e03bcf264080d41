/** What one pod is to Google Cloud. */
export interface GoogleIdentity {
  readonly cloud: 'google'
  /**
   * The Google service account to impersonate; undefined means that the federated token itself is the identity.
   */
  readonly serviceAccountEmail: string | undefined
  /** `iam.gke.io/credential-quota-project`: sent as `x-goog-user-project` to IAM Credentials. */
  readonly quotaProject: string | undefined
  /** What the metadata value `email` shows: the service account, the workload pool's name, or the principal identifier. */
  readonly email: string
  /**
   * The IAM member that the pod is, as a policy binding spells it: `principal://iam.googleapis.com/…/subject/…` or
   * `serviceAccount:POOL[NAMESPACE/KSA]`. Error messages name it.
   */
  readonly member: string
}
