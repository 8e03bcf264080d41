import assert from 'node:assert/strict'
import type { KubeObject } from '../../cluster/api.ts'
import { RAW_ANSWER } from '../../e2e/bed/addresses.ts'
import { applyManifests } from '../daemon/apply-manifests.ts'
import { containerPid } from '../daemon/container-pid.ts'
import { metricsOf } from '../daemon/metrics-of.ts'
import { podsOf, rolledOut } from '../daemon/pods-of.ts'
import { processRights, statedRights } from '../daemon/process-rights.ts'
import type { LabNode } from '../lab/lab-node.ts'
import { runToEnd } from '../pods/run-to-end.ts'
import type { Scenario } from '../scenario.ts'
import { waitFor } from '../wait-for.ts'
import type { World } from '../world.ts'

const READY_MS = 120_000
/** Three of the probe's rounds: in the first one a slow machine may make an answer late. */
const PROVED_MS = 180_000
const RIGHTS_MS = 60_000
/** Of capability.h. */
const [NET_BIND_SERVICE, NET_ADMIN] = [10, 12]

/** The manifests make of two nodes what they say, with no more rights than they say. */
export const install: Scenario = {
  name: 'install',
  async run(world) {
    await reachesRaw(world)
    const startedAt = performance.now()
    await applyManifests(world)
    await rolledOut(world, 'metadatad', READY_MS)
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    await rolledOut(world, 'metadatad-probe', READY_MS)
    for (const node of world.nodes) {
      await hasRules(node)
      await hasRights(world, node)
      await waitFor(
        `the probe of ${node.name} to prove the interception`,
        PROVED_MS,
        async () => (await metricsOf(node)).sum('metadatad_interception_proved') === 1,
      )
    }
    // Until here packets were meant to come there: from now on none may.
    await world.raw.forget()
    return {
      operations: world.nodes.length,
      failures: 0,
      wrongIdentities: 0,
      note: `nodes; ready after ${seconds} s, interception proved by the probes, rights as stated`,
    }
  },
}

/** Before the rules a pod gets the node's credentials, and is counted: that it does not later shows something. */
async function reachesRaw(world: World): Promise<void> {
  const [{ name: node }] = world.nodes as [LabNode]
  const command = [
    'curl',
    '--silent',
    '--max-time',
    '10',
    ...['--retry', '3', '--retry-all-errors', '--retry-delay', '0'],
    '--output',
    '/dev/termination-log',
    'http://169.254.169.254/',
  ]
  const { message } = await runToEnd(world, { name: 'before', node, command })
  assert.equal(message, RAW_ANSWER)
  assert.ok((await world.raw.counts()).pods > 0, 'packets of pods are counted')
}

async function hasRules({ space, name }: LabNode): Promise<void> {
  assert.match(await space.run('nft', ['list', 'tables']), /^table inet metadatad$/m, name)
  assert.match(await space.run('ip', ['rule', 'list']), /to 169\.254\.169\.254 blackhole/, name)
}

async function hasRights(world: World, node: LabNode): Promise<void> {
  for (const [part, stated] of [
    ['metadatad', statedRights(0, [NET_BIND_SERVICE, NET_ADMIN])],
    ['metadatad-probe', statedRights(65_532, [])],
  ] as const) {
    const [pod] = await podsOf(world, part, node.name)
    // A container counts as running a moment before its process gives up the last rights of what has started it.
    await waitFor(`${part} of ${node.name} to have no more rights than stated`, RIGHTS_MS, async () => {
      const [now] = await podsOf(world, part, node.name)
      assert.deepEqual(await processRights(node, await containerPid(node, now)), stated)
      return true
    })
    const { initContainers = [], containers } = pod.spec
    for (const { name, state } of (pod.status.initContainerStatuses ?? []) as KubeObject[])
      assert.equal(state.terminated?.exitCode, 0, `init container ${name} of ${node.name}`)
    for (const { name, securityContext } of [...initContainers, ...containers] as KubeObject[])
      assert.ok(!securityContext.privileged, `${name} is not privileged`)
    const written = await world
      .kubectl(['--namespace=metadatad', 'exec', pod.metadata.name, '--', 'touch', '/tmp/x'])
      .then(
        () => '',
        (err: Error) => err.message,
      )
    assert.match(written, /Read-only file system/, part)
  }
}
