import type { World } from '../world.ts'

/** What EKS Pod Identity's tokens are for, and what the container credentials endpoint takes. */
const AUDIENCE = 'pods.eks.amazonaws.com'

/** A token as the kubelet would write it into a pod's projected volume. */
export async function projectedToken(
  { plane: { admin }, namespace }: World,
  pod: { readonly name: string; readonly serviceAccount: string },
  audience = AUDIENCE,
): Promise<string> {
  const review = await admin.create(
    `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.serviceAccount}/token`,
    {
      spec: {
        audiences: [audience],
        expirationSeconds: 7_200,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name },
      },
    },
  )
  return review.status.token
}
