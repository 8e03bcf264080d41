import type { Api } from './api.ts'
import { whenAllowed } from './when-allowed.ts'

/** Lets everybody, clouds above all, read the issuer's discovery document and keys; from then on they may. */
export async function openIssuer(admin: Api): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io'
  await admin.apply({
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: 'issuer-discovery-for-everybody' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'system:service-account-issuer-discovery' },
    subjects: [{ apiGroup, kind: 'Group', name: 'system:unauthenticated' }],
  })
  await whenAllowed(admin, {
    groups: ['system:unauthenticated'],
    nonResourceAttributes: { verb: 'get', path: '/openid/v1/jwks' },
  })
}
