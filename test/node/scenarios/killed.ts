import assert from 'node:assert/strict'
import { containerPid } from '../daemon/container-pid.ts'
import { podsOf } from '../daemon/pods-of.ts'
import type { LabNode } from '../lab/lab-node.ts'
import { endLoads } from '../pods/end-loads.ts'
import { createIdentities } from '../pods/identities.ts'
import { GOOGLE_AUTH_PROGRAM } from '../pods/questions.ts'
import { startLoad } from '../pods/start-load.ts'
import { startPod } from '../pods/start-pod.ts'
import type { Scenario } from '../scenario.ts'
import { waitFor } from '../wait-for.ts'

const CLIENT_MS = 5_000
const RESTART_MS = 120_000
/** Google's library looks for the metadata server three times, for 3 s each, with 3 s in between. */
const LIBRARY_SECONDS = 12

/** SIGKILL for a daemon: pods get nothing until the kubelet has started it again, and no refusal. */
export const killed: Scenario = {
  name: 'killed',
  async run(world) {
    const [node] = world.nodes as [LabNode]
    const [identity] = await createIdentities(world)
    await using client = await startPod(world, {
      name: 'patient',
      node: node.name,
      serviceAccount: identity!.serviceAccount,
    })
    const load = await startLoad(world, { name: 'load', node, identity: identity!, timeoutMs: CLIENT_MS })
    const restarts = async () => {
      const [pod] = await podsOf(world, 'metadatad', node.name)
      const [{ restartCount, ready }] = pod.status.containerStatuses
      return { pod, restartCount, ready }
    }
    const before = await restarts()
    const startedAt = performance.now()
    await node.space.run('kill', ['-KILL', String(await containerPid(node, before.pod))])
    // Google's library, begun while nobody answers.
    const ask = () => world.kubectl(['exec', client.name, '--', ...GOOGLE_AUTH_PROGRAM, '/dev/stdout'])
    const asked = ask().then(
      (token) => ({ token, tookMs: performance.now() - startedAt }),
      (err: unknown) => ({ err }),
    )
    await waitFor('the kubelet to start the daemon again', RESTART_MS, async () => {
      const now = await restarts()
      return now.restartCount > before.restartCount && now.ready
    })
    const seconds = (performance.now() - startedAt) / 1_000
    const first = await asked
    // Where a slow machine takes longer to start a container than the library looks for one, it is to find it now.
    if ('err' in first && seconds < LIBRARY_SECONDS) throw first.err
    const token = 'err' in first ? await ask() : first.token
    const had =
      'err' in first
        ? 'gave up before, and had its token afterwards'
        : `had its token after ${(first.tookMs / 1_000).toFixed(1)} s`
    const tally = await endLoads(world, [load])
    const owner = world.clouds.google.inspect(token.trim())?.identity
    assert.ok(owner !== undefined, 'the token is one')
    return {
      operations: tally.requests + 1,
      failures: tally.refused,
      wrongIdentities: tally.wrongIdentities + (owner === identity!.email ? 0 : 1),
      note: `requests; ready again after ${seconds.toFixed(1)} s, google-auth that began in between ${had}; requests with ${CLIENT_MS / 1_000} s and no second try that got no answer: ${tally.text}; none was refused; slowest answer ${tally.slowestMs} ms`,
    }
  },
}
