import type { World } from '../world.ts'

const NAMESPACE = 'metadatad'
/** The longest that a test may take. */
const TOKEN_SECONDS = 7_200

/**
 * A token of the daemon's ServiceAccount: as the kubelet of the node gives it to the daemon's pod, or as `kubectl create token` does.
 *
 * @param bound to a pod on the world's node
 */
export async function daemonToken({ plane: { admin }, node }: World, bound = true): Promise<string> {
  const name = `token-holder-${node}`
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`
  const spec = {
    serviceAccountName: 'metadatad',
    nodeName: node,
    containers: [{ name: 'metadatad', image: 'none' }],
  }
  const found = bound ? await admin.ask('GET', `${pods}/${name}`) : undefined
  if (bound && found?.status !== 200) {
    await admin.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
  }
  const review = await admin.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/metadatad/token`, {
    spec: {
      expirationSeconds: TOKEN_SECONDS,
      ...(bound ? { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name } } : {}),
    },
  })
  return review.status.token
}
