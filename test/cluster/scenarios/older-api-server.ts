import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { registerCluster } from '../../../src/sandbox/register-cluster.ts'
import { eventually } from '../../support/eventually.ts'
import { ControlPlane } from '../control-plane.ts'
import { grantToNodes, nodeKubeconfig } from '../rights/as-node.ts'
import { componentManifests } from '../rights/component-manifests.ts'
import { IPS } from '../rights/lacks.ts'
import { manifestRights } from '../rights/manifest-rights.ts'
import { operatorView } from '../rights/operator-view.ts'
import { patientAnswer } from '../rights/questions.ts'
import { type ThreeIdentities, threeIdentities } from '../rights/three-identities.ts'
import { withoutRight } from '../rights/without-right.ts'
import type { Scenario } from '../scenario.ts'
import { Suite } from '../suite.ts'
import { World } from '../world.ts'

const CLOUDS = ['google', 'aws', 'azure'] as const

/** Kubernetes 1.31 by `--emulated-version`: no streaming lists, and other rules for nodes. */
export const olderApiServer: Scenario = {
  name: 'older-api-server',
  async run(world) {
    const directory = join(world.directory, 'older')
    await mkdir(directory)
    await using plane = await ControlPlane.start({
      directory: join(directory, 'control-plane'),
      programs: world.programs,
      ca: world.plane.ca,
      apiServerFlags: ['--emulated-version=1.31'],
    })
    await Suite.prepare(plane)
    // Google's provider knows one issuer.
    await using google = new AsyncDisposableStack()
    google.defer(() => registerCluster(world.clouds, world.plane.url))
    registerCluster(world.clouds, plane.url)
    await using older = await World.create({ ...world, name: 'older', plane, directory })
    const whole = await threeIdentities(older, 'whole', '1a9707a0-5555-4c55-8000-000000000001')
    await older.createPod({ name: 'whole', serviceAccount: 'whole', ip: IPS.whole })
    const granted = manifestRights()
    const questions = await Promise.all([
      asNode(older, whole),
      withoutRight(older, { right: 'list serviceaccounts' }, whole, granted),
      withoutRight(older, { right: 'list nodes', lost: ['zone'] }, whole, granted),
    ])
    return {
      operations: questions.reduce((sum, count) => sum + count),
      failures: 0,
      wrongIdentities: 0,
      apiCalls: undefined,
      note: 'Kubernetes 1.31: both rights to list are missed by name; a kubelet may ask for tokens for any audience, and get ServiceAccounts only where it is granted',
    }
  },
}

/** Without a further right a node gets no ServiceAccount: nobody is anybody. With the component's it is as ever. */
async function asNode(world: World, whole: ThreeIdentities): Promise<number> {
  const daemon = await world.startDaemon({ kubeconfig: await nodeKubeconfig(world) })
  const { ready, missing } = await eventually(
    () => operatorView(daemon),
    (view) => view.missing.length === 2,
  )
  assert.equal(ready, false)
  assert.deepEqual(missing.toSorted(), ['get serviceaccounts', 'watch serviceaccounts'])
  const manifests = await componentManifests(world.directory, 'gke-like', 'node-identity')
  await grantToNodes(
    world,
    manifests.filter(({ metadata: { name } }) => name === 'metadatad-node-service-accounts'),
  )
  const right = { google: whole.email, aws: whole.arn, azure: whole.clientId }
  for (const cloud of CLOUDS) assert.equal(await patientAnswer(daemon, IPS.whole, whole, cloud), right[cloud])
  await eventually(
    () => operatorView(daemon),
    (view) => view.ready && view.missing.length === 0,
  )
  return CLOUDS.length + 2
}
