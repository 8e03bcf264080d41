import type { World } from './world.ts'

const NAMESPACE = 'metadatad'
/** The longest that a test may take. */
const TOKEN_SECONDS = 7_200

/**
 * A kubeconfig of the daemon of `manifests/`, in a pod of the world's node, for a daemon that reaches the API server by another way
 * than its own URL.
 *
 * @param url of a way to the API server
 */
export async function daemonKubeconfig({ plane, node }: World, url: string): Promise<string> {
  const name = `daemon-by-relay-${node}`
  const { metadata } = await plane.admin.create(`/api/v1/namespaces/${NAMESPACE}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      serviceAccountName: 'metadatad',
      nodeName: node,
      hostNetwork: true,
      containers: [{ name: 'metadatad', image: 'none' }],
    },
  })
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid: metadata.uid }
  const review = await plane.admin.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/metadatad/token`, {
    spec: { expirationSeconds: TOKEN_SECONDS, boundObjectRef },
  })
  const { clusters, ...rest } = JSON.parse(plane.kubeconfigOf({ token: review.status.token }))
  clusters[0].cluster.server = url
  return JSON.stringify({ ...rest, clusters })
}
