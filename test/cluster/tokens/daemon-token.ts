import type { World } from '../world.ts'

const NAMESPACE = 'metadatad'
/** The longest that a test may take. */
const TOKEN_SECONDS = 7_200

/**
 * A token of the daemon's ServiceAccount: as the kubelet of a node gives it to the daemon's pod, or as `kubectl create token` does.
 *
 * @param options.node the world's unless said
 * @param options.bound to a pod on the node, which is made where there is none
 */
export async function daemonToken(
  world: World,
  { node = world.node, bound = true }: { readonly node?: string; readonly bound?: boolean } = {},
): Promise<string> {
  const { admin } = world.plane
  const name = `daemon-${node}`
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`
  if (bound && (await admin.ask('GET', `${pods}/${name}`)).status !== 200) {
    await admin.create(pods, {
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
  }
  const boundObjectRef = bound ? { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name } } : {}
  const review = await admin.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts/metadatad/token`, {
    spec: { expirationSeconds: TOKEN_SECONDS, ...boundObjectRef },
  })
  return review.status.token
}
