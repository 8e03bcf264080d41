import { registerCluster } from '../../../src/sandbox/register-cluster.ts'
import type { Clouds } from '../../../src/sandbox/start-clouds.ts'
import type { ControlPlane } from '../../cluster/control-plane.ts'

/** Registers the cluster with the clouds, which ask its API server for the keys of its tokens. */
export async function trustCluster({ admin, url: issuer }: ControlPlane, clouds: Clouds): Promise<void> {
  await admin.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'issuer-discovery-for-everybody' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:service-account-issuer-discovery',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' }],
  })
  registerCluster(clouds, issuer)
}
