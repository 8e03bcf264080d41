/** Permissions on a service account that the fakes know. */
export type IamPermission =
  | 'iam.serviceAccounts.getAccessToken'
  | 'iam.serviceAccounts.getOpenIdToken'
  | 'iam.serviceAccounts.implicitDelegation'

/** The roles that hold them (Google Cloud, "IAM roles and permissions index", as far as the permissions above go). */
const ROLES = {
  'roles/iam.workloadIdentityUser': [
    'iam.serviceAccounts.getAccessToken',
    'iam.serviceAccounts.getOpenIdToken',
  ],
  'roles/iam.serviceAccountTokenCreator': [
    'iam.serviceAccounts.getAccessToken',
    'iam.serviceAccounts.getOpenIdToken',
    'iam.serviceAccounts.implicitDelegation',
  ],
} as const satisfies Record<string, readonly IamPermission[]>

export type IamRole = keyof typeof ROLES

const POOL = String.raw`//iam\.googleapis\.com/projects/\d+/locations/global/workloadIdentityPools/[a-z0-9-]{4,32}`
const MEMBERS = [
  new RegExp(`^principal:${POOL}/subject/.{1,127}$`),
  new RegExp(String.raw`^principalSet:${POOL}/(?:\*|attribute\.[a-z0-9_]{1,100}/.+)$`),
  /^serviceAccount:[a-z0-9.:-]+\.svc\.id\.goog\[[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}\]$/,
  /^serviceAccount:[a-z0-9][a-z0-9._-]{0,62}@[a-z0-9.-]{1,253}$/,
]

/** Who may do what with which service account: the allow policies of all service accounts. */
export class IamPolicy {
  readonly #bindings = new Map<string, Map<string, Set<IamRole>>>()

  /**
   * Adds a binding.
   *
   * @param member `principal://…/subject/S`, `principalSet://…/*`, `principalSet://…/attribute.NAME/VALUE`,
   * `serviceAccount:PROJECT.svc.id.goog[NAMESPACE/KSA]` or `serviceAccount:EMAIL`
   * @throws TypeError the member is of no such form: a mistyped grant would otherwise only show as a refusal
   */
  grant(serviceAccountEmail: string, member: string, role: IamRole): void {
    if (!MEMBERS.some((form) => form.test(member))) throw new TypeError(`not an IAM member: ${member}`)
    const members = this.#bindings.get(serviceAccountEmail) ?? new Map<string, Set<IamRole>>()
    this.#bindings.set(serviceAccountEmail, members.set(member, (members.get(member) ?? new Set()).add(role)))
  }

  /** Removes every binding of the member on the service account. */
  revoke(serviceAccountEmail: string, member: string): void {
    this.#bindings.get(serviceAccountEmail)?.delete(member)
  }

  /** @param members every spelling under which the caller may appear in a policy */
  allows(members: readonly string[], permission: IamPermission, serviceAccountEmail: string): boolean {
    const bound = this.#bindings.get(serviceAccountEmail)
    return members.some((member) =>
      [...(bound?.get(member) ?? [])].some((role) => (ROLES[role] as readonly string[]).includes(permission)),
    )
  }
}
