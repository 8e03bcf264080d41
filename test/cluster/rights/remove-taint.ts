import assert from 'node:assert/strict'
import { eventually } from '../../support/eventually.ts'
import { counted } from '../../support/traffic.ts'
import type { World } from '../world.ts'
import { componentManifests } from './component-manifests.ts'
import { LimitedUser } from './limited-user.ts'
import { manifestRights } from './manifest-rights.ts'

const KEY = 'metadatad.dev/not-ready'

/** With what the component startup-taint grants besides, the taint is removed; both rights of it are used. Returns the number of taints. */
export async function removeTaint(world: World): Promise<number> {
  const { admin } = world.plane
  const path = '/api/v1/nodes/node-tainted'
  await world.addNode('node-tainted')
  await admin.merge(path, { spec: { taints: [{ key: KEY, effect: 'NoSchedule' }] } })
  const manifests = await componentManifests(world.directory, 'none', 'startup-taint')
  const granted = manifestRights(manifests, 'metadatad-startup-taint')
  await using user = await LimitedUser.create(world.plane, 'removes-taints', [
    ...manifestRights(manifests),
    ...granted,
  ])
  const { daemon } = await world.startDaemon({
    node: 'node-tainted',
    kubeconfig: user.kubeconfig,
    flags: { 'node.startupTaint': KEY },
  })
  await eventually(
    () => admin.get(path),
    ({ spec }) => spec.taints === undefined,
  )
  for (const right of granted) {
    const [verb, resource] = right.split(' ')
    const used = () =>
      counted(daemon.metrics.kubernetesRequests, { verb: verb!, resource: resource!, outcome: 'ok' })
    assert.ok((await eventually(used, (count) => count > 0)) > 0)
  }
  return 1
}
