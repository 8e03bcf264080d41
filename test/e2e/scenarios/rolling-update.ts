import { setTimeout } from 'node:timers/promises'
import { startLoad, usualGroups } from '../client/start-load.ts'
import type { DaemonProcess } from '../daemon-process.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const UPDATES = 20
/** Longer than the clients' pools keep a connection that is not used (3 s), as 95 s are longer than SDKs' 90 s. */
const DRAIN = '8s'

/** The DaemonSet is updated with `maxSurge`, again and again: the new daemon starts, is ready, then the old one is stopped. */
export const rollingUpdate: Scenario = {
  name: 'rolling-update',
  alone: true,
  async run(world) {
    const [routed, , bridged] = world.pods
    let current = await world.startDaemon('--listen-drain', DRAIN)
    await current.ready()
    const loads = [
      startLoad(routed, usualGroups(IPV4_ORIGIN)),
      startLoad(bridged, [...usualGroups(IPV4_ORIGIN), ...usualGroups(IPV6_ORIGIN)]),
    ]
    await Promise.all(loads.map(({ answered }) => answered))
    const old: DaemonProcess[] = []
    const startedAt = performance.now()
    for (let i = 0; i < UPDATES; i++) {
      const next = await world.startDaemon('--listen-drain', DRAIN)
      await next.ready()
      current.signal('SIGTERM')
      old.push(current)
      current = next
    }
    const each = (performance.now() - startedAt) / UPDATES
    await Promise.all(old.map((daemon) => daemon.ended()))
    // What the last one left behind would show now.
    await setTimeout(4_000)
    const seen = await endLoads(world, loads)
    return {
      requests: seen.requests,
      failures: seen.failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities,
      note: `${UPDATES} updates, one every ${(each / 1_000).toFixed(1)} s; failures: ${seen.text}; slowest answer ${seen.slowestMs} ms`,
    }
  },
}
