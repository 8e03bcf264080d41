import type { Api } from './api.ts'

/** Lets everybody, clouds above all, read the issuer's discovery document and keys. */
export async function openIssuer(admin: Api): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io'
  await admin.apply({
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'issuer-discovery-for-everybody' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'system:service-account-issuer-discovery' },
    subjects: [{ apiGroup, kind: 'Group', name: 'system:unauthenticated' }],
  })
}
