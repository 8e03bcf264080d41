import type { Manifest } from '../../manifests/support.ts'
import { objectPath } from '../object-path.ts'
import type { World } from '../world.ts'
import { AUDIENCES } from './audiences.ts'

/** A kubeconfig with what a kubelet has: the certificate of its node. */
export function nodeKubeconfig({ plane, node }: World): Promise<string> {
  return plane.kubeconfig(`system:node:${node}`, ['system:nodes'])
}

/** Applies what the component node-identity grants to nodes, with the audiences of the sandbox's clouds. */
export async function grantToNodes(
  { plane: { admin } }: World,
  manifests: readonly Manifest[],
): Promise<void> {
  for (const { kind, metadata, ...rest } of manifests.filter(isGrant)) {
    const audiences = metadata.name === 'metadatad-node-audiences' && kind === 'ClusterRole'
    if (audiences) rest.rules[0].resources = Object.values(AUDIENCES)
    await admin.apply({ kind, metadata, ...rest })
  }
}

/** Takes it away again. */
export async function takeFromNodes(
  { plane: { admin } }: World,
  manifests: readonly Manifest[],
): Promise<void> {
  for (const manifest of manifests.filter(isGrant)) await admin.ask('DELETE', objectPath(manifest))
}

function isGrant({ kind }: Manifest): boolean {
  return kind.startsWith('ClusterRole')
}
