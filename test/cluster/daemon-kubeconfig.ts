import { daemonToken } from './tokens/daemon-token.ts'
import type { World } from './world.ts'

/**
 * A kubeconfig of the daemon of `manifests/`, in a pod of the world's node, for a daemon that reaches the API server by another way
 * than its own URL.
 *
 * @param url of a way to the API server
 */
export async function daemonKubeconfig(world: World, url: string): Promise<string> {
  const kubeconfig = world.plane.kubeconfigOf({ token: await daemonToken(world) })
  const { clusters, ...rest } = JSON.parse(kubeconfig)
  clusters[0].cluster.server = url
  return JSON.stringify({ ...rest, clusters })
}
