import { registerCluster } from '../../../src/sandbox/register-cluster.ts'
import type { Clouds } from '../../../src/sandbox/start-clouds.ts'
import type { ControlPlane } from '../../cluster/control-plane.ts'
import { openIssuer } from '../../cluster/open-issuer.ts'

/** Registers the cluster with the clouds, which ask its API server for the keys of its tokens. */
export async function trustCluster({ admin, url: issuer }: ControlPlane, clouds: Clouds): Promise<void> {
  await openIssuer(admin)
  registerCluster(clouds, issuer)
}
