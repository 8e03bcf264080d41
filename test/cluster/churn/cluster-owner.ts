import { Api } from '../api.ts'
import { whenAllowed } from '../when-allowed.ts'
import type { World } from '../world.ts'

const NAME = 'owner'
const TOKEN_SECONDS = 7_200
/** More than are under way at a time: nobody who writes waits for another one's answer. */
const CONNECTIONS = 64

/**
 * The API server as a ServiceAccount of the world that may do everything. Its token is verified once in a while, a client
 * certificate with every request, which is a seventh of what a write costs the API server.
 */
export async function clusterOwner({ plane, namespace }: World): Promise<Api> {
  const { admin } = plane
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } })
  await admin.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `${namespace}-${NAME}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: NAME, namespace }],
  })
  await whenAllowed(admin, {
    user: `system:serviceaccount:${namespace}:${NAME}`,
    resourceAttributes: { verb: 'create', resource: 'pods', namespace },
  })
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${NAME}/token`
  const { status } = await admin.create(path, { spec: { expirationSeconds: TOKEN_SECONDS } })
  return new Api({ url: plane.url, caPem: plane.ca.pem, token: status.token, connections: CONNECTIONS })
}
