import { sandboxMember } from '../../../src/sandbox/sandbox-config.ts'
import { eventually } from '../../support/eventually.ts'
import { gsa, identityOf } from '../../support/pod-questions.ts'
import { counted } from '../../support/traffic.ts'
import { Callers } from '../callers.ts'
import { daemonKubeconfig } from '../daemon-kubeconfig.ts'
import { Relay } from '../relay.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const STAYS = '127.0.21.1'
const HANDED_ON = '127.0.21.2'
const REPLACED = '127.0.21.3'
const ANNOTATED = '127.0.21.4'
const ADDRESSES = [STAYS, HANDED_ON, REPLACED, ANNOTATED]
const WRITES = 200

/**
 * What a daemon missed can not be told any more: its way to the API server is cut, pods come, go, and take over addresses and names,
 * etcd forgets its history, and the API server starts again with none. Pods ask all the while.
 */
export const compaction: Scenario = {
  name: 'compaction',
  async run(world) {
    const { plane } = world
    const email: Record<string, string> = {}
    for (const name of ['stays', 'ends', 'heir', 'first', 'second', 'before'])
      email[name] = await world.googleServiceAccount(name)
    const was = ['stays', 'ends', 'first', 'before']
    for (const [i, ip] of ADDRESSES.entries()) {
      const serviceAccount = was[i]!
      await world.createPod({
        name: serviceAccount === 'first' ? 'same-name' : serviceAccount,
        serviceAccount,
        ip,
      })
    }
    await using relay = await Relay.to(plane.url)
    await plane.audit.read()
    // Without proof from the kernel an address is only never an earlier pod's if each connection is confirmed.
    const flags = { 'caller.confirmWithin': '0s' }
    const daemon = await world.startDaemon({ kubeconfig: await daemonKubeconfig(world, relay.url), flags })
    await using callers = new Callers(daemon)
    for (const [i, ip] of ADDRESSES.entries()) callers.is(ip, email[was[i]!]!)
    const answered = () => Promise.all(ADDRESSES.map((ip) => callers.right(ip)))
    await answered()

    relay.cut()
    await callers.become(HANDED_ON, email.heir!, async () => {
      await world.deletePod('ends')
      await world.createPod({ name: 'heir', ip: HANDED_ON, serviceAccount: 'heir' })
    })
    await callers.become(REPLACED, email.second!, async () => {
      await world.deletePod('same-name')
      await world.createPod({ name: 'same-name', ip: REPLACED, serviceAccount: 'second' })
    })
    // Annotations have no other word than the watch's: until it is there again the old one holds.
    await callers.become(ANNOTATED, gsa('after'), async () => {
      world.clouds.google.grant(gsa('after'), sandboxMember(world.namespace, 'before'))
      await world.applyServiceAccount('before', { 'iam.gke.io/gcp-service-account': gsa('after') })
      await forget(world)
      relay.mend()
      await eventually(
        () => identityOf(daemon, ANNOTATED),
        (identity) => identity === gsa('after'),
      )
    })
    await answered()

    // Pods were answered by live reads until now, if need be: their watch may still be waiting for its next try.
    const { watchRestarts } = daemon.daemon.metrics
    await eventually(
      () => counted(watchRestarts, { reason: 'expired', resource: 'pods' }),
      (count) => count >= 1,
    )
    await answered()
    const expired = await counted(watchRestarts, { reason: 'expired' })
    const { right, wrong, refused, failed } = callers.all
    return {
      operations: right,
      failures: failed.length,
      wrongIdentities: wrong,
      apiCalls: (await plane.audit.read()).length,
      note: `410 for ${expired} watches; ${refused} requests told to try again while the API server could not be asked (caller.confirmWithin: 0s) ${failed.slice(0, 3)}`,
    }
  },
}

/** Writes, and leaves nobody who could tell of what was before. */
async function forget({ plane, namespace }: World): Promise<void> {
  await Promise.all(
    Array.from({ length: WRITES }, (_, i) =>
      plane.admin.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: `churn-${i % 20}`, namespace, annotations: { write: String(i) } },
      }),
    ),
  )
  await plane.etcd.compact()
  await plane.apiServer.stop(0)
  await plane.startApiServer()
}
